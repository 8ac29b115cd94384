// Tells ThreadSanitizer of the contended half of Swift's Mutex, which runs inside libswiftSynchronization, where it
// cannot look: without this, what one holder of a Mutex wrote and the next one reads would be reported as a race.
// The uncontended half is inlined into our own code and seen. Loaded by LD_PRELOAD; nothing is silenced.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SELF __attribute__((swift_context)) void *self
typedef __attribute__((swiftcall)) void (*lock_slow)(uint32_t thread, SELF);
typedef __attribute__((swiftcall)) void (*unlock_slow)(SELF);

// _MutexHandle._lockSlow(_:)
__attribute__((swiftcall)) void $s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF(uint32_t thread, SELF) {
    ((lock_slow)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"))(thread, self);
    __tsan_acquire(self);
}

// _MutexHandle._unlockSlow()
__attribute__((swiftcall)) void $s15Synchronization12_MutexHandleV11_unlockSlowyyF(SELF) {
    __tsan_release(self);
    ((unlock_slow)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"))(self);
}
