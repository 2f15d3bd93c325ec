// A program of someone else's, built against the installed library in C++.
#include <sumi.h>

#include <iostream>
#include <string>

int main(int count, char **arguments)
{
    const std::string version = sumi_version();
    const std::string header = std::to_string(SUMI_VERSION_MAJOR) + "."
                               + std::to_string(SUMI_VERSION_MINOR) + "."
                               + std::to_string(SUMI_VERSION_PATCH);
    std::cout << version << " in C++\n";
    return count == 2 && version == arguments[1] && version == header ? 0 : 1;
}
