@echo off
rem Installs the lab from this folder, without a network: install.cmd [FOLDER]
setlocal
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%USERPROFILE%\jwt-refresh-lab"
if "%PYTHON%"=="" set "PYTHON=py"
"%PYTHON%" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
if errorlevel 1 (
  echo Python 3.11, 3.12 or 3.13 is needed. Set PYTHON to the path of its python.exe.
  exit /b 1
)
"%PYTHON%" -m venv "%TARGET%\.venv" || exit /b 1
"%TARGET%\.venv\Scripts\python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "%~dp0wheels" jwt-refresh-lab || exit /b 1
"%TARGET%\.venv\Scripts\python" -m jwt_course start "%TARGET%\my-course" || exit /b 1
echo Installed. To start the lab:
echo cd /d "%TARGET%"
echo .venv\Scripts\python -m jupyterlab my-course\01_walkthrough.ipynb
