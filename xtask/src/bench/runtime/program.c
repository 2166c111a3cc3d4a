/* The program in the containers: `true`, or with an argument one that stays
 * until it is killed. */
#include <unistd.h>

int main(int argc, char **argv)
{
    (void)argv;
    while (argc > 1)
        pause();
    return 0;
}
