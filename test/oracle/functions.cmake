# SPDX-License-Identifier: BSD-2-Clause
# Role: how tests run programs on slabkit's malloc.
# Owns: slabkit_on_malloc(), slabkit_malloc_test(), SLABKIT_TEST_MALLOC (there is a malloc to test).
# Imported targets belong to one directory, functions to all.
find_package(Threads REQUIRED)
include_guard(GLOBAL)

set(SLABKIT_TEST_MALLOC OFF CACHE INTERNAL "")
# Not for a foreign machine: an emulated program's preload would reach the tools around it.
if(NOT CMAKE_CROSSCOMPILING AND
   (TARGET slabkit_malloc_shared OR (SLABKIT_SANITIZED AND TARGET slabkit_front)))
    set(SLABKIT_TEST_MALLOC ON CACHE INTERNAL "")
endif()

# Lets a program call slabkit's malloc: by preload where slabkit replaces malloc (the program is not linked with
# it), by linking where a sanitizer's malloc stays.
function(slabkit_on_malloc target)
    target_compile_options(${target} PRIVATE -fno-builtin)
    target_link_libraries(${target} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
    if(SLABKIT_SANITIZED)
        target_link_libraries(${target} PRIVATE slabkit_front)
    endif()
endfunction()

# slabkit_malloc_test(NAME COMMAND command... [OPTIONS key=value,...] [SLOTS mode] [LABEL label]
#                     [TIMEOUT seconds] [ENV VAR=value...]): runs the command on slabkit.
function(slabkit_malloc_test name)
    cmake_parse_arguments(PARSE_ARGV 1 T "" "OPTIONS;SLOTS;LABEL;TIMEOUT" "COMMAND;ENV")
    set(env SLABKIT_OPTIONS=${T_OPTIONS} TEST_SLABKIT=any ${T_ENV})
    if(T_SLOTS)
        list(APPEND env TEST_SLABKIT=${T_SLOTS})
    endif()
    if(NOT SLABKIT_SANITIZED)
        list(APPEND env LD_PRELOAD=$<TARGET_FILE:slabkit_malloc_shared>)
    endif()
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 60)
    endif()
    math(EXPR timeout "${T_TIMEOUT} * ${SLABKIT_TEST_SCALE}")
    add_test(NAME ${name} COMMAND env ${env} ${T_COMMAND})
    set_tests_properties(${name} PROPERTIES
        LABELS "${T_LABEL}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
endfunction()

# The same in every mode of slots: NAME-auto, NAME-portable, NAME-nodes2, NAME-rseq-cpu.
function(slabkit_malloc_test_modes name)
    slabkit_malloc_test(${name}-auto ${ARGN} OPTIONS slots=auto)
    slabkit_malloc_test(${name}-portable ${ARGN} OPTIONS slots=portable SLOTS portable)
    slabkit_malloc_test(${name}-nodes2 ${ARGN} OPTIONS nodes=2)
    if(NOT SLABKIT_PORTABLE_ONLY)
        slabkit_malloc_test(${name}-rseq-cpu ${ARGN} OPTIONS slots=rseq-cpu SLOTS rseq-cpu)
    endif()
endfunction()
