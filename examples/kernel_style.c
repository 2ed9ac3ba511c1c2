/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Role: kernel-style code compiled unchanged: a cache of inodes as a file system module has it, with a constructor, a
 *       pool for writing under pressure, and names of any length. Only main() is not of a kernel.
 *
 *     cc kernel_style.c -I$(pkg-config --variable=compatdir slabkit) $(pkg-config --cflags --libs slabkit) -o kernel_style
 *
 * Failure: status 1.
 */
#include <linux/mempool.h>
#include <linux/slab.h>

#include <errno.h>
#include <stdio.h>

struct toy_inode {
    unsigned long i_ino;
    unsigned int i_nlink;
    unsigned int i_dirty;
    char *i_name;
    struct toy_inode *i_children, *i_sibling; /* NULL between free and alloc */
};

struct toy_buffer {
    unsigned long b_block;
    unsigned char b_data[512];
};

#define TOY_POOL 4

static struct kmem_cache *toy_inode_cachep, *toy_buffer_cachep;
static mempool_t *toy_buffer_pool;
static unsigned long toy_next_ino, toy_written;

static void toy_inode_init_once(void *foo)
{
    struct toy_inode *ti = foo;

    memset(ti, 0, sizeof(*ti));
}

static int toy_init_caches(void)
{
    toy_inode_cachep = kmem_cache_create("toy_inode", sizeof(struct toy_inode), 0,
                                         SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, toy_inode_init_once);
    if (!toy_inode_cachep)
        return -ENOMEM;
    toy_buffer_cachep = KMEM_CACHE(toy_buffer, SLAB_HWCACHE_ALIGN);
    if (!toy_buffer_cachep)
        goto out_inodes;
    toy_buffer_pool = mempool_create_slab_pool(TOY_POOL, toy_buffer_cachep);
    if (!toy_buffer_pool)
        goto out_buffers;
    return 0;

out_buffers:
    kmem_cache_destroy(toy_buffer_cachep);
out_inodes:
    kmem_cache_destroy(toy_inode_cachep);
    return -ENOMEM;
}

static void toy_destroy_caches(void)
{
    mempool_destroy(toy_buffer_pool);
    kmem_cache_destroy(toy_buffer_cachep);
    kmem_cache_destroy(toy_inode_cachep);
}

static struct toy_inode *toy_new_inode(struct toy_inode *dir, const char *name)
{
    struct toy_inode *ti = kmem_cache_alloc(toy_inode_cachep, GFP_NOFS);

    if (!ti)
        return NULL;
    ti->i_name = dir ? kasprintf(GFP_NOFS, "%s/%s", dir->i_name, name) : kstrdup(name, GFP_NOFS);
    if (!ti->i_name) {
        kmem_cache_free(toy_inode_cachep, ti);
        return NULL;
    }
    ti->i_ino = ++toy_next_ino;
    ti->i_nlink = 1;
    ti->i_dirty = 1;
    if (dir) {
        ti->i_sibling = dir->i_children;
        dir->i_children = ti;
    }
    return ti;
}

/* Must make progress when there is no memory: from the pool. */
static void toy_write_inode(struct toy_inode *ti)
{
    struct toy_buffer *b = mempool_alloc(toy_buffer_pool, GFP_NOIO);

    b->b_block = ti->i_ino;
    snprintf((char *)b->b_data, sizeof(b->b_data), "%s", ti->i_name);
    ti->i_dirty = 0;
    toy_written++;
    mempool_free(b, toy_buffer_pool);
}

static void toy_free_tree(struct toy_inode *ti)
{
    struct toy_inode *child = ti->i_children;

    while (child) {
        struct toy_inode *next = child->i_sibling;

        toy_free_tree(child);
        child = next;
    }
    if (ti->i_dirty)
        toy_write_inode(ti);
    kfree(ti->i_name);
    toy_inode_init_once(ti);
    kmem_cache_free(toy_inode_cachep, ti);
}

static int toy_make_tree(struct toy_inode *dir, int depth)
{
    for (int i = 0; i < 10; i++) {
        char name[] = {(char)('a' + i), 0};
        struct toy_inode *ti = toy_new_inode(dir, name);
        int ret;

        if (!ti)
            return -ENOMEM;
        ret = depth > 1 ? toy_make_tree(ti, depth - 1) : 0;
        if (ret)
            return ret;
    }
    return 0;
}

int main(void)
{
    struct toy_inode *root;
    int ret;

    if (toy_init_caches())
        return 1;
    root = toy_new_inode(NULL, "toy:");
    ret = root ? toy_make_tree(root, 4) : -ENOMEM;
    printf("%lu inodes of %zu bytes", toy_next_ino, (size_t)kmem_cache_size(toy_inode_cachep));
    if (root)
        toy_free_tree(root);
    printf(", %lu written\n", toy_written);
    toy_destroy_caches();
    return ret == 0 && toy_written == toy_next_ino && toy_next_ino == 11111 ? 0 : 1;
}
