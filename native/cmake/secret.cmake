# A seal key in memory of its own, and the SHA-256 that it computes with.
get_filename_component(VRAM_SECRET ${CMAKE_CURRENT_LIST_DIR}/../secret ABSOLUTE)
set(VRAM_SECRET_SOURCES
  ${VRAM_SECRET}/root_key.cpp
  ${VRAM_SECRET}/secret_page.cpp
  ${VRAM_SECRET}/traces.cpp)
