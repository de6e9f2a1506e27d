# The host's SHA-256, which the native core and the simulator both contain.
get_filename_component(VRAM_HASH ${CMAKE_CURRENT_LIST_DIR}/../hash ABSOLUTE)
set(VRAM_HASH_SOURCES
  ${VRAM_HASH}/path.cpp
  ${VRAM_HASH}/processor.cpp
  ${VRAM_HASH}/sha256_avx512.cpp
  ${VRAM_HASH}/sha256_ni.cpp
  ${VRAM_HASH}/sha256_portable.cpp)
