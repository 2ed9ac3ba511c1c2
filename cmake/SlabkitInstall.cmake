# SPDX-License-Identifier: BSD-2-Clause
# Role: what `cmake --install` puts where (but the manual page: man/), with pkg-config files and a CMake package.

include(CMakePackageConfigHelpers)

set(targets)
foreach(target slabkit_shared slabkit_static slabkit_malloc_shared slabkit_malloc_static slabkit_linux_headers)
    if(TARGET ${target})
        list(APPEND targets ${target})
    endif()
endforeach()

if(targets)
    install(TARGETS ${targets} EXPORT slabkitTargets
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/slabkit)
    install(EXPORT slabkitTargets NAMESPACE slabkit:: DESTINATION ${package_dir})
    configure_package_config_file(cmake/slabkitConfig.cmake.in slabkitConfig.cmake
                                  INSTALL_DESTINATION ${package_dir})
    write_basic_package_version_file(slabkitConfigVersion.cmake COMPATIBILITY SameMinorVersion)
    install(FILES ${PROJECT_BINARY_DIR}/slabkitConfig.cmake
                  ${PROJECT_BINARY_DIR}/slabkitConfigVersion.cmake
            DESTINATION ${package_dir})

    # The .pc files find their prefix from where they lie.
    set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    file(RELATIVE_PATH pc_to_prefix /prefix/${pc_dir} /prefix)
    foreach(pc slabkit slabkit-malloc)
        configure_file(cmake/${pc}.pc.in ${pc}.pc @ONLY)
        install(FILES ${PROJECT_BINARY_DIR}/${pc}.pc DESTINATION ${pc_dir})
    endforeach()
endif()

install(DIRECTORY include/slabkit DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h PATTERN *.hpp)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET slabkit)
    install(TARGETS slabkit RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
foreach(program slabkit slabkit-workloads)
    if(TARGET ${program})
        add_dependencies(products ${program})
    endif()
endforeach()
