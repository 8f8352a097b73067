# SPDX-License-Identifier: Apache-2.0
#
# What the page of a simulation is made of, with Debian's Chart.js, as the Lua module sim.report.texts. Sets REPORT_TEXTS
# to the file, which lies below ${GENERATED} as the module's name says.

find_file(CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH
  DOC "Chart.js 3, which Debian has in libjs-chart.js")
if(NOT CHART_JS)
  message(FATAL_ERROR "Chart.js 3 is missing: install libjs-chart.js, or set CHART_JS to a chart.min.js")
endif()
set(REPORT ${CMAKE_SOURCE_DIR}/host/sim/report)
set(REPORT_TEXTS ${GENERATED}/sim/report/texts.lua)
set(REPORT_SUMS ${GENERATED}/sim/report/sums)
file(MAKE_DIRECTORY ${GENERATED}/sim/report)
add_custom_command(
  OUTPUT ${REPORT_TEXTS}
  COMMAND ${CMAKE_COMMAND} -E sha256sum ${CHART_JS} ${REPORT}/page.js ${REPORT}/style.css > ${REPORT_SUMS}
  COMMAND ${LUA_INTERPRETER} ${REPORT}/make_texts.lua SUMS=${REPORT_SUMS} page=${REPORT}/page.html style=${REPORT}/style.css
    chart=${CHART_JS} script=${REPORT}/page.js licence=${REPORT}/chart-licence.txt > ${REPORT_TEXTS}
  DEPENDS host/sim/report/make_texts.lua ${REPORT}/page.html ${REPORT}/style.css ${REPORT}/page.js ${CHART_JS}
    ${REPORT}/chart-licence.txt
  COMMENT "Putting together what the page of a simulation is made of")
add_custom_target(report-texts ALL DEPENDS ${REPORT_TEXTS})
