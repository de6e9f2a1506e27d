/** A tensor type of GGUF: elements in a block, and bytes of a block. */
export interface GgufType {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
}

const plain = (name: string, blockBytes: number): GgufType => ({ name, blockElements: 1, blockBytes });
const small = (name: string, blockBytes: number): GgufType => ({ name, blockElements: 32, blockBytes });
const large = (name: string, blockBytes: number): GgufType => ({ name, blockElements: 256, blockBytes });

/** By number. Types that are never stored (Q8_1, Q8_K) and ones that were withdrawn are not here. */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, plain("F32", 4)],
  [1, plain("F16", 2)],
  [2, small("Q4_0", 18)],
  [3, small("Q4_1", 20)],
  [6, small("Q5_0", 22)],
  [7, small("Q5_1", 24)],
  [8, small("Q8_0", 34)],
  [10, large("Q2_K", 84)],
  [11, large("Q3_K", 110)],
  [12, large("Q4_K", 144)],
  [13, large("Q5_K", 176)],
  [14, large("Q6_K", 210)],
  [16, large("IQ2_XXS", 66)],
  [17, large("IQ2_XS", 74)],
  [18, large("IQ3_XXS", 98)],
  [19, large("IQ1_S", 50)],
  [20, small("IQ4_NL", 18)],
  [21, large("IQ3_S", 110)],
  [22, large("IQ2_S", 82)],
  [23, large("IQ4_XS", 136)],
  [24, plain("I8", 1)],
  [25, plain("I16", 2)],
  [26, plain("I32", 4)],
  [27, plain("I64", 8)],
  [28, plain("F64", 8)],
  [29, large("IQ1_M", 56)],
  [30, plain("BF16", 2)],
  [34, large("TQ1_0", 54)],
  [35, large("TQ2_0", 66)],
  [39, small("MXFP4", 17)],
]);
