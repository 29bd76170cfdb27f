using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Memory;

/// <summary>The heap that libtorch takes the memory of tensors from.</summary>
internal static partial class NativeHeap
{
    private static bool s_canTrim = OperatingSystem.IsLinux();

    /// <summary>
    /// Gives free memory back to the system, which the C library keeps otherwise for later tensors. It is needed after much has been freed
    /// that will not be allocated again; after that, keeping memory is faster.
    /// </summary>
    public static void Trim()
    {
        if (!s_canTrim)
            return;
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            s_canTrim = false; // glibc has it, other C libraries do not
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint keep);
}
