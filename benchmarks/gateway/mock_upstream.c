/* Mock upstream: answers chat completions with 1 KB of JSON, or with 50 events 2 ms apart and usage, as fast as one core can.
 *
 * One thread, epoll, keep-alive. Usage: mock_upstream PORT. It counts nothing and checks nothing; tests have another one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 50, BUFFER = 65536, MAX_FDS = 65536 };

struct connection {
    int fd, used, sent, streaming;
    struct connection *previous, *next; /* of those that stream */
    char buffer[BUFFER];
};

static struct connection *connections[MAX_FDS];
static struct connection streams = {.previous = &streams, .next = &streams};
static char plain[4096], head[256], event[512], last[1024];
static int plain_size, head_size, event_size, last_size;

static int chunked(char *out, const char *body) { return sprintf(out, "%zx\r\n%s\r\n", strlen(body), body); }

static void prepare(void) {
    char body[2048], text[700];
    memset(text, 'a', sizeof text);
    for (size_t at = 6; at < sizeof text; at += 7) text[at] = ' ';
    text[sizeof text - 1] = 0;
    int size = sprintf(body,
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1790000000,\"model\":\"mock-1\",\"choices\":"
        "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],\"usage\":"
        "{\"prompt_tokens\":20,\"completion_tokens\":150,\"total_tokens\":170}}", text);
    plain_size = sprintf(plain,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", size, body);
    head_size = sprintf(head,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    event_size = chunked(event,
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"mock-1\","
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"token \"},\"finish_reason\":null}]}\n\n");
    last_size = chunked(last,
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"mock-1\","
        "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":"
        "\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"mock-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,"
        "\"completion_tokens\":50,\"total_tokens\":70}}\n\ndata: [DONE]\n\n");
    last_size += sprintf(last + last_size, "0\r\n\r\n");
}

static void drop(struct connection *c) {
    if (c->streaming) c->previous->next = c->next, c->next->previous = c->previous;
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

static int say(struct connection *c, const char *data, int size) {
    if (send(c->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == size) return 1;
    drop(c);
    return 0;
}

static int answer(struct connection *c) { /* 1: look for another request in the buffer */
    c->buffer[c->used] = 0;
    char *end = memmem(c->buffer, c->used, "\r\n\r\n", 4);
    if (end == NULL || c->streaming) return 0;
    char *length = strcasestr(c->buffer, "content-length:");
    int size = length != NULL && length < end ? atoi(length + 15) : 0;
    int whole = (int)(end - c->buffer) + 4 + size;
    if (c->used < whole) return 0;
    char *body = end + 4;
    int is_stream = memmem(body, size, "\"stream\":true", 13) || memmem(body, size, "\"stream\": true", 14);
    memmove(c->buffer, c->buffer + whole, c->used - whole);
    c->used -= whole;
    if (!is_stream) return say(c, plain, plain_size) && c->used > 0;
    c->streaming = 1, c->sent = 0;
    c->previous = streams.previous, c->next = &streams;
    streams.previous->next = c, streams.previous = c;
    say(c, head, head_size);
    return 0;
}

static void receive(struct connection *c) {
    ssize_t size = recv(c->fd, c->buffer + c->used, BUFFER - 1 - c->used, MSG_DONTWAIT);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN) drop(c);
        return;
    }
    c->used += (int)size;
    while (answer(c)) {}
}

static void tick(void) {
    for (struct connection *c = streams.next, *next; c != &streams; c = next) {
        next = c->next;
        if (c->sent++ < EVENTS) {
            say(c, event, event_size);
        } else {
            c->previous->next = c->next, c->next->previous = c->previous;
            c->streaming = 0;
            say(c, last, last_size);
        }
    }
}

int main(int count, char **arguments) {
    int port = count > 1 ? atoi(arguments[1]) : 9400, on = 1;
    prepare();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), loop = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return perror("bind"), 1;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec every = {.it_interval.tv_nsec = 2000000, .it_value.tv_nsec = 2000000};
    timerfd_settime(timer, 0, &every, NULL);
    for (int i = 0; i < 2; i++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = i ? timer : listener};
        epoll_ctl(loop, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
    }
    struct epoll_event ready[512];
    for (;;) {
        int found = epoll_wait(loop, ready, 512, -1);
        for (int i = 0; i < found; i++) {
            int fd = ready[i].data.fd;
            if (fd == timer) {
                unsigned long long past;
                if (read(timer, &past, sizeof past) > 0) tick();
            } else if (fd == listener) {
                int client;
                while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (client >= MAX_FDS) { close(client); continue; }
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    struct connection *c = calloc(1, sizeof *c);
                    c->fd = client;
                    connections[client] = c;
                    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = client};
                    epoll_ctl(loop, EPOLL_CTL_ADD, client, &wanted);
                }
            } else if (connections[fd] != NULL) {
                receive(connections[fd]);
            }
        }
    }
}
