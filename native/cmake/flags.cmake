# Flags that every native target is built with, and the sanitizers of a test build.
set(VRAM_SANITIZE "" CACHE STRING "Sanitizers of a test build: address,undefined or thread")

function(vram_compile_flags target)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Werror -Wno-unknown-pragmas -Wno-unknown-warning-option
    -fstack-protector-strong -ffunction-sections -fdata-sections)
  # An installed package carries Node-API's headers beside this folder: what a compiler unknown to us warns of must not fail there.
  if(EXISTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../include)
    target_compile_options(${target} PRIVATE -Wno-error)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,relro,-z,now,--gc-sections)
  if(VRAM_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${VRAM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${VRAM_SANITIZE})
  else()
    target_compile_options(${target} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endfunction()

# Hides what the map does not name, of a C++ library that is linked in too.
function(vram_export_only target map)
  target_link_options(${target} PRIVATE -Wl,--version-script=${map})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
endfunction()
