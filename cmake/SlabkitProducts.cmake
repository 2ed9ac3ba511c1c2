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

# What an ordinary run never comes to stands at the end of the text: pages of a library become resident by sixteen.
string(CONCAT SLABKIT_SELDOM
    "slabkit_(cache[.]dir/(debug_paint|debug_report|look|spare)|kmalloc[.]dir/(account|isolate|tagged|typed)|"
    "ctl[.]dir/(caches|format|kmalloc|ktext|slabinfo|snapshot|table|types_.*|verify|writer)|"
    "front[.]dir/(cxx|introspect|origin|token|typed)|compat[.]dir/.*)[.]c[.]o$")

# The objects with those that are needed often first.
function(slabkit_by_use out)
    set(${out} "$<FILTER:${ARGN},EXCLUDE,${SLABKIT_SELDOM}>" "$<FILTER:${ARGN},INCLUDE,${SLABKIT_SELDOM}>" PARENT_SCOPE)
endfunction()

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
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${map})
        # What the map does not name is hidden, or a historic name and unversioned: a versioned malloc
        # would not satisfy a program's malloc@GLIBC.
        # nodelete: blocks, the reaper and what the kernel knows of a section outlive a dlclose.
        # static-libgcc: the unwinder of debug reports, without a library more in every process.
        target_link_options(${target} PRIVATE -static-libgcc -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete
                            -Wl,--version-script=${map})
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
    slabkit_by_use(objects "${SLABKIT_ENGINE_OBJECTS}")
    slabkit_products(slabkit slabkit ${objects})
    if(TARGET slabkit_front AND NOT SLABKIT_SANITIZED)
        slabkit_by_use(objects "${SLABKIT_ENGINE_OBJECTS};$<TARGET_OBJECTS:slabkit_front>")
        slabkit_products(slabkit-malloc malloc ${objects})
    endif()
endif()

# Where code written for Linux finds <linux/slab.h>.
add_library(slabkit_linux_headers INTERFACE)
set_target_properties(slabkit_linux_headers PROPERTIES EXPORT_NAME linux_headers)
target_include_directories(slabkit_linux_headers INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/slabkit/compat>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/slabkit/compat>)
