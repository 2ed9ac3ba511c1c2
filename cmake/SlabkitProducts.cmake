# SPDX-License-Identifier: BSD-2-Clause
# Role: libslabkit (all layers but front) and libslabkit-malloc (all layers), shared and static,
#       from the object files of the layers' archives.
# Owns: targets slabkit_shared, slabkit_static, slabkit_malloc_shared, slabkit_malloc_static, slabkit_linux_headers; `products` builds
#       them and the tools.

set(SLABKIT_ENGINE_OBJECTS)
foreach(layer IN LISTS SLABKIT_LAYERS)
    if(NOT layer STREQUAL front AND TARGET slabkit_${layer})
        get_target_property(type slabkit_${layer} TYPE)
        if(NOT type STREQUAL INTERFACE_LIBRARY)
            list(APPEND SLABKIT_ENGINE_OBJECTS $<TARGET_OBJECTS:slabkit_${layer}>)
        endif()
    endif()
endforeach()

# Often used code apart from the rest, in one segment with the constants.
set(SLABKIT_LAYOUT ${PROJECT_SOURCE_DIR}/cmake/seldom.ld)

add_custom_target(products)

function(slabkit_product target output_name export_name type)
    add_library(${target} ${type} ${ARGN})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${output_name}
        EXPORT_NAME ${export_name}
        LINKER_LANGUAGE C
        ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib
        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
    target_include_directories(${target} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    if(type STREQUAL SHARED)
        set(map ${PROJECT_SOURCE_DIR}/exports/libslabkit.map)
        set_target_properties(${target} PROPERTIES
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS "${map};${SLABKIT_LAYOUT}")
        # What the map does not name is hidden, or a historic name and unversioned: a versioned malloc
        # would not satisfy a program's malloc@GLIBC.
        # nodelete: blocks, the reaper and what the kernel knows of a section outlive a dlclose.
        # Bsymbolic-functions: what the library calls of itself is its own, and not looked up at each start.
        # static-libgcc: the unwinder of debug reports, without a library more in every process.
        target_link_options(${target} PRIVATE -static-libgcc -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-Bsymbolic-functions
                            -Wl,-z,noseparate-code -Wl,-T,${SLABKIT_LAYOUT} -Wl,--version-script=${map})
        if(NOT SLABKIT_SANITIZED)
            target_link_options(${target} PRIVATE -Wl,--no-undefined)
        endif()
    endif()
    if(type STREQUAL STATIC AND NOT SLABKIT_SANITIZED)
        set(localize ${PROJECT_SOURCE_DIR}/scripts/localize.sh)
        add_custom_command(TARGET ${target} POST_BUILD VERBATIM
            COMMAND ${localize} $<TARGET_FILE:${target}> ${CMAKE_LINKER} ${CMAKE_OBJCOPY} ${CMAKE_AR})
    endif()
    add_dependencies(products ${target})
endfunction()

function(slabkit_products output_name export_name)
    string(REPLACE - _ base ${output_name})
    slabkit_product(${base}_shared ${output_name} ${export_name} SHARED ${ARGN})
    slabkit_product(${base}_static ${output_name} ${export_name}_static STATIC ${ARGN})
endfunction()

if(SLABKIT_ENGINE_OBJECTS)
    slabkit_products(slabkit slabkit ${SLABKIT_ENGINE_OBJECTS})
    if(TARGET slabkit_front AND NOT SLABKIT_SANITIZED)
        slabkit_products(slabkit-malloc malloc ${SLABKIT_ENGINE_OBJECTS} $<TARGET_OBJECTS:slabkit_front>)
    endif()
endif()

# Where code written for Linux finds <linux/slab.h>.
add_library(slabkit_linux_headers INTERFACE)
set_target_properties(slabkit_linux_headers PROPERTIES EXPORT_NAME linux_headers)
target_include_directories(slabkit_linux_headers INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/slabkit/compat>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/slabkit/compat>)
