// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest KVM guest: a few instructions of real mode code that write to a port, halt, and
 * start over. Each leaves the guest, so the exits are known: I/O, halt, I/O, halt, ...
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define ROUNDS	  20
#define PORT	  0x3f8
#define CODE_ADDR 0x1000 /* the guest's only page */

static const unsigned char code[] = {
	0xba, PORT & 0xff, PORT >> 8, /*       mov  $PORT, %dx */
	0xb0, 'A',		      /* loop: mov  $'A', %al */
	0xee,			      /*       out  %al, (%dx) */
	0xf4,			      /*       hlt */
	0xeb, 0xfa,		      /*       jmp  loop */
};

static int checked_ioctl(int fd, const char *name, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		err(1, "%s", name);
	return ret;
}
#define IOCTL(fd, request, arg) checked_ioctl(fd, #request, request, (void *)(arg))

static void *map(size_t size, int flags, int fd)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (addr == MAP_FAILED)
		err(1, "mmap");
	return addr;
}

static void expect(int vcpu, const struct kvm_run *run, unsigned int reason)
{
	IOCTL(vcpu, KVM_RUN, 0);
	if (run->exit_reason != reason)
		errx(1, "exit reason %u where %u was expected", run->exit_reason, reason);
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		err(77, "/dev/kvm");
	int vm = IOCTL(kvm, KVM_CREATE_VM, 0);
	void *page = map(4096, MAP_SHARED | MAP_ANONYMOUS, -1);
	struct kvm_userspace_memory_region memory = {
		.guest_phys_addr = CODE_ADDR,
		.memory_size = 4096,
		.userspace_addr = (unsigned long)page,
	};

	memcpy(page, code, sizeof(code));
	IOCTL(vm, KVM_SET_USER_MEMORY_REGION, &memory);

	int vcpu = IOCTL(vm, KVM_CREATE_VCPU, 0);
	struct kvm_run *run = map(IOCTL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), MAP_SHARED, vcpu);
	struct kvm_regs regs = { .rip = CODE_ADDR, .rflags = 2 /* the bit that is always set */ };
	struct kvm_sregs sregs;

	IOCTL(vcpu, KVM_GET_SREGS, &sregs);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	IOCTL(vcpu, KVM_SET_SREGS, &sregs);
	IOCTL(vcpu, KVM_SET_REGS, &regs);

	for (int i = 0; i < ROUNDS; i++) {
		expect(vcpu, run, KVM_EXIT_IO);
		if (run->io.port != PORT || run->io.direction != KVM_EXIT_IO_OUT)
			errx(1, "I/O on port %#x", run->io.port);
		expect(vcpu, run, KVM_EXIT_HLT);
	}
	printf("a KVM guest left %d times for I/O and %d times to halt\n", ROUNDS, ROUNDS);
	return 0;
}
