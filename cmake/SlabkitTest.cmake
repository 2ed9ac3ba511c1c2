# SPDX-License-Identifier: BSD-2-Clause
# Role: how tests are declared.
# Owns: slabkit_test(), SLABKIT_WITH_TESTS.
#
#   slabkit_test(NAME SOURCES file... [LIBS target...] [ARGS arg...] [ENV VAR=value...]
#                [TIMEOUT seconds] [LABELS label...])
#
# Builds build/test/NAME from SOURCES with cmocka, and registers it. In test/<layer>/ it links that layer and all
# below (a layer above is an error), and its label is `layer` unless said otherwise. Labels in use:
#   layer, model, stress, hitpath  run in every configuration (64-bit ARM: layer only)
#   native                         besides one of those: not under an emulator
#   real, check, config, guest     programs under preload, the tree itself, whole other builds, a Linux of its
#                                  own: once
#   kernel                         inside of our own kernel, under an emulator: with gcc, and for 64-bit ARM
#   long                           besides kernel: for 64-bit ARM in `make kernel-test` only

# The ways of protecting slots that a test is run in beside the one that plat chooses. Where it chooses locks (no
# other way was built, or an emulator has none) there is no other.
set(SLABKIT_OTHER_MODES portable rseq-cid rseq-cpu)
if(SLABKIT_PORTABLE_ONLY OR CMAKE_CROSSCOMPILING)
    set(SLABKIT_OTHER_MODES)
endif()

set(SLABKIT_TEST_SCALE 1 CACHE STRING "factor on every test's timeout")

function(slabkit_find_cmocka)
    set(SLABKIT_WITH_TESTS OFF PARENT_SCOPE)
    if(SLABKIT_TESTS STREQUAL OFF)
        return()
    endif()
    if(CMAKE_CROSSCOMPILING)
        set(CMOCKA_INCLUDE ${PROJECT_SOURCE_DIR}/test/cross CACHE PATH "cmocka.h for a foreign machine")
        set(CMOCKA_LIBRARY "" CACHE STRING "none: it is all in the header")
    else()
        find_path(CMOCKA_INCLUDE cmocka.h)
        find_library(CMOCKA_LIBRARY cmocka)
    endif()
    if(CMOCKA_INCLUDE AND (CMOCKA_LIBRARY OR CMAKE_CROSSCOMPILING))
        set(SLABKIT_WITH_TESTS ON PARENT_SCOPE)
    elseif(SLABKIT_TESTS STREQUAL AUTO)
        message(STATUS "cmocka not found: no tests")
    else()
        message(FATAL_ERROR "cmocka not found (Debian: libcmocka-dev)")
    endif()
endfunction()

# The layer whose tests live in the current directory, or "".
function(slabkit_test_layer out)
    file(RELATIVE_PATH dir ${PROJECT_SOURCE_DIR}/test ${CMAKE_CURRENT_SOURCE_DIR})
    set(${out} "" PARENT_SCOPE)
    if(dir IN_LIST SLABKIT_LAYERS)
        set(${out} ${dir} PARENT_SCOPE)
    endif()
endfunction()

# The archives of `layer` and of all below that exist, top first.
function(slabkit_layers_down_from layer out)
    set(libs)
    foreach(l IN LISTS SLABKIT_LAYERS)
        if(TARGET slabkit_${l})
            list(PREPEND libs slabkit_${l})
        endif()
        if(l STREQUAL layer)
            break()
        endif()
    endforeach()
    set(${out} ${libs} PARENT_SCOPE)
endfunction()

function(slabkit_test name)
    cmake_parse_arguments(PARSE_ARGV 1 T "" "TIMEOUT" "SOURCES;LIBS;ARGS;ENV;LABELS")
    if(T_UNPARSED_ARGUMENTS OR NOT T_SOURCES)
        message(FATAL_ERROR "slabkit_test(${name}): SOURCES missing, or unknown ${T_UNPARSED_ARGUMENTS}")
    endif()
    slabkit_test_layer(layer)
    if(layer)
        slabkit_layers_down_from(${layer} below)
        foreach(lib IN LISTS T_LIBS)
            if(lib MATCHES "^slabkit_" AND NOT lib IN_LIST below)
                message(FATAL_ERROR "slabkit_test(${name}): ${lib} is not ${layer} or below")
            endif()
        endforeach()
        list(APPEND T_LIBS ${below})
        list(REMOVE_DUPLICATES T_LIBS)
    endif()
    if(NOT T_LABELS)
        set(T_LABELS layer)
    endif()
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 120)
    endif()
    math(EXPR timeout "${T_TIMEOUT} * ${SLABKIT_TEST_SCALE}")

    add_executable(${name} ${T_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
    target_include_directories(${name} SYSTEM PRIVATE ${CMOCKA_INCLUDE})
    target_link_libraries(${name} PRIVATE ${T_LIBS} ${CMOCKA_LIBRARY})
    add_test(NAME ${name} COMMAND ${name} ${T_ARGS})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS "${T_LABELS}")
    if(T_ENV)
        set_tests_properties(${name} PROPERTIES ENVIRONMENT "${T_ENV}")
    endif()
endfunction()
