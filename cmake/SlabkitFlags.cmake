# SPDX-License-Identifier: BSD-2-Clause
# Role: compiler and linker flags of everything built here, from the options.
# Owns: SLABKIT_SANITIZED (any sanitizer is on).

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# Debug information that valgrind and the debuggers of the oldest supported systems read.
add_compile_options(
    -gdwarf-4
    -Wall -Wextra -Wshadow -Werror
    "$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes;-Wmissing-prototypes>"
    "$<$<COMPILE_LANGUAGE:C>:-fno-semantic-interposition>")
include_directories(${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include
                    ${PROJECT_SOURCE_DIR}/src/plat/hosted)

if(SLABKIT_DEBUG)
    add_compile_definitions(SLABKIT_DEBUG)
endif()

set(SLABKIT_SANITIZED OFF)
if(SLABKIT_SANITIZE)
    set(SLABKIT_SANITIZED ON)
    if(SLABKIT_SANITIZE MATCHES "thread")
        # It cannot see the order that a restartable section gives.
        set(SLABKIT_PORTABLE_ONLY ON)
        # For tests that ask for what its runtime does not do; gcc and clang say it in ways of their own.
        add_compile_definitions(SLABKIT_TSAN)
    endif()
    add_compile_options(-fsanitize=${SLABKIT_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SLABKIT_SANITIZE})
    # The sanitizers bring a malloc of their own: front keeps the historic names to itself, and its
    # tests go through its slabkit_ entry points.
    add_compile_definitions(SLABKIT_NO_REPLACE)
endif()

if(SLABKIT_PORTABLE_ONLY)
    add_compile_definitions(SLABKIT_PORTABLE_ONLY)
endif()
