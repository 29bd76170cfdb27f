namespace MLTransfer.Torch.Checkpoints;

/// <summary>
/// Tells that a file could not be opened because another holds it for itself alone: <see cref="FileShare.None"/> is
/// <c>flock(LOCK_EX)</c> on Unix and a sharing violation for others on Windows. The system lets go of it when a process ends, however.
/// </summary>
internal static class SharingViolation
{
    // ERROR_SHARING_VIOLATION on Windows; EWOULDBLOCK on Linux and on macOS.
    private static readonly int s_code = OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsLinux() ? 11 : 35;

    public static bool Is(IOException exception) => exception.HResult == s_code;
}
