export { textProblem, shardIdProblem, digestProblem, correlationIdProblem, SHARD_ID_MAX_LENGTH, NAME_MAX_LENGTH } from "./rules.js";
