/* SPDX-License-Identifier: Apache-2.0 */
/* How test programs start; see start/waiting.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void a_test_program_by_hand_lets_waiting_threads_sleep(void **state)
{
    (void)state;
    char command[128], policy[32] = "";
    snprintf(command, sizeof command,
             "exec env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT /proc/%d/exe policy", (int)getpid());
    FILE *child = popen(command, "r");
    assert_non_null(child);
    assert_non_null(fgets(policy, sizeof policy, child));
    assert_int_equal(pclose(child), 0);
    assert_string_equal(policy, "passive\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_program_by_hand_lets_waiting_threads_sleep),
    };
    if (argc > 1 && strcmp(argv[1], "policy") == 0) {
        const char *policy = getenv("OMP_WAIT_POLICY");
        puts(policy ? policy : "none");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
