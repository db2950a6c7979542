"""What is deployed: resources, the packaging of the code, and the completion of the template.

package.py makes build/<target>/{template.json,deployment.zip,layer-*.zip}; postprocess/ is its last
step and pure; deploy.sh sends the result to AWS; local/stack.py sends the same result to the
emulator.
"""
