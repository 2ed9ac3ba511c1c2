/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: allocation when things end: destructors of thread_local objects and of thread-specific
 *       data, exit handlers, destructors of static objects and of the program, quick_exit, and
 *       exit() while other threads go on allocating.
 * Owns: the protocol between each child and the parent: every stage writes its letter into a
 *       pipe; the parent compares the letters with those that must come.
 */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>

#include "expect.h"

namespace
{

int stage_pipe = -1;
void *old_block[64];

void stage(char letter)
{
    EXPECT(write(stage_pipe, &letter, 1) == 1);
}

/* Frees what was made earlier, makes new blocks, some of which stay for the next stage. */
void turnover()
{
    for (std::size_t i = 0; i < 64; i++) {
        const std::size_t size = 10 + i * i * 20;

        std::free(old_block[i]);
        old_block[i] = std::malloc(size);
        EXPECT(old_block[i] != nullptr);
        fill(old_block[i], size, 1);
    }
}

struct at_the_end {
    std::vector<std::string> words;
    char letter;
    explicit at_the_end(char c) : words(1000, std::string(100, c)), letter(c)
    {
    }
    ~at_the_end()
    {
        turnover();
        words.push_back("one more");
        if (stage_pipe >= 0)
            stage(letter);
    }
};

at_the_end static_object('s');

struct thread_end {
    at_the_end inner{'t'};
    int touched = 0;
};
thread_local thread_end thread_object;

void on_exit_1()
{
    turnover();
    stage('1');
}

/* Registered by a handler that runs: comes before the older ones. */
void on_exit_2()
{
    turnover();
    EXPECT(std::atexit(on_exit_1) == 0);
    stage('2');
}

__attribute__((destructor(101))) void program_destructor()
{
    turnover();
    if (stage_pipe >= 0)
        stage('d');
}

/* ---- thread-specific data: set again by its own destructor, which then runs once more -------- */

pthread_key_t key;

void key_destructor(void *value)
{
    const int rounds = *static_cast<int *>(value);

    std::free(value);
    turnover();
    stage('k');
    if (rounds > 1) {
        int *again = static_cast<int *>(std::malloc(sizeof(int)));

        EXPECT(again != nullptr);
        *again = rounds - 1;
        EXPECT(pthread_setspecific(key, again) == 0);
    }
}

void *ending_thread(void *)
{
    int *rounds = static_cast<int *>(std::malloc(sizeof(int)));

    EXPECT(rounds != nullptr);
    *rounds = 3;
    thread_object.touched++;
    EXPECT(pthread_setspecific(key, rounds) == 0);
    return nullptr;
}

void *endless_thread(void *)
{
    for (std::size_t i = 0;; i++)
        std::free(opaque(std::malloc(1 + i * 37 % 100000)));
}

/* ---- the children --------------------------------------------------------------------------- */

void run_thread_end()
{
    pthread_t thread;

    EXPECT(pthread_key_create(&key, key_destructor) == 0);
    EXPECT(pthread_create(&thread, nullptr, ending_thread, nullptr) == 0);
    EXPECT(pthread_join(thread, nullptr) == 0);
    _exit(0);
}

void run_exit()
{
    EXPECT(std::atexit(on_exit_2) == 0);
    std::exit(0);
}

void run_quick_exit()
{
    EXPECT(std::at_quick_exit(on_exit_1) == 0);
    std::quick_exit(0);
}

void run_exit_with_threads()
{
    pthread_t thread;

    for (int i = 0; i < 4; i++)
        EXPECT(pthread_create(&thread, nullptr, endless_thread, nullptr) == 0);
    usleep(20000);
    std::exit(0);
}

void *exiting_thread(void *)
{
    std::exit(0);
}

/* exit() from another thread than main. */
void run_exit_from_thread()
{
    pthread_t thread;

    EXPECT(pthread_create(&thread, nullptr, exiting_thread, nullptr) == 0);
    for (;;)
        pause();
}

/* main's thread ends before the program; glibc then runs no thread_local destructors for it. */
void run_main_thread_ends()
{
    pthread_t thread;

    thread_object.touched++;
    EXPECT(pthread_create(
               &thread, nullptr,
               [](void *main_thread) -> void * {
                   EXPECT(pthread_join(*static_cast<pthread_t *>(main_thread), nullptr) == 0);
                   turnover();
                   stage('m');
                   std::exit(0);
               },
               new pthread_t(pthread_self())) == 0);
    pthread_exit(nullptr);
}

struct ending {
    const char *name;
    void (*run)();
    const char *stages;
};

const ending endings[] = {
    {"thread end", run_thread_end, "tkkk"},
    {"exit", run_exit, "21sd"},
    {"quick_exit", run_quick_exit, "1"},
    {"exit with threads", run_exit_with_threads, "sd"},
    {"exit from a thread", run_exit_from_thread, "sd"},
    {"main's thread ends", run_main_thread_ends, "msd"},
};

std::string stages_of(const ending &end)
{
    int ends[2], status;
    char letters[64];
    std::string got;

    EXPECT(pipe(ends) == 0);
    const pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        alarm(20);
        stage_pipe = ends[1];
        turnover();
        end.run();
        _exit(1);
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], letters, sizeof(letters))) > 0;)
        got.append(letters, static_cast<std::size_t>(n));
    close(ends[0]);
    EXPECT(waitpid(child, &status, 0) == child);
    if (status != 0)
        std::fprintf(stderr, "%s: wait status %#x\n", end.name, status);
    EXPECT(status == 0);
    return got;
}

} // namespace

int main()
{
    for (const ending &end : endings) {
        const std::string got = stages_of(end);

        if (got != end.stages) {
            std::fprintf(stderr, "%s: stages %s, expected %s\n", end.name, got.c_str(), end.stages);
            return 1;
        }
    }
    return 0;
}
