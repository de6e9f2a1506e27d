# Node.js addons. VRAM_NODE_API: the folders of node-addon-api and of Node-API's own headers.
include(${CMAKE_CURRENT_LIST_DIR}/flags.cmake)
# What hashes and interprets has a level of its own; elsewhere size counts more.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/Release)

# vram_addon(NAME SOURCE...): NAME.node, which exports the functions that Node.js calls and nothing else.
function(vram_addon name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".node")
  vram_compile_flags(${name})
  vram_export_only(${name} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/addon.map)
  target_include_directories(${name} PRIVATE ${VRAM_NATIVE})
  target_include_directories(${name} SYSTEM PRIVATE ${VRAM_NODE_API})
  # Calls into a worker thread that is being terminated fail at any moment; without the last definition that ends the process.
  target_compile_definitions(${name} PRIVATE NAPI_VERSION=8 NODE_ADDON_API_DISABLE_DEPRECATED BUILDING_NODE_EXTENSION
    NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
endfunction()
