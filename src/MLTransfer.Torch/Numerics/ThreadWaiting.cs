using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Numerics;

/// <summary>How the threads of libgomp, by which libtorch computes on Linux, wait for work.</summary>
/// <remarks>
/// As libgomp comes they spin for milliseconds before they sleep. On a machine that others use too a processor that spins is taken from
/// the thread that is waited for: two trainings beside each other were several times slower than one after the other. libgomp reads its
/// settings when it is loaded, from the environment of the C library, which
/// <see cref="Environment.SetEnvironmentVariable(string, string?)"/> does not reach.
/// </remarks>
internal static partial class ThreadWaiting
{
    /// <summary>
    /// Rounds of a waiting loop: some tenths of a millisecond, longer than what lies between operations, so that a training alone is as
    /// fast as with libgomp's ten times as many, and less than a turn that a processor gives a thread.
    /// </summary>
    public const string SpinCount = "30000";

    public const string SpinVariable = "GOMP_SPINCOUNT";

    private const string PolicyVariable = "OMP_WAIT_POLICY";

    /// <summary>Whether libtorch was there before libgomp could be told, because the program used TorchSharp before this library.</summary>
    public static bool IsTooLate { get; private set; }

    // libtorch is loaded by the first use of TorchSharp; of this library's own code nothing runs before a module's initializer.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Shorten()
    {
        if (!OperatingSystem.IsLinux() || IsSet(SpinVariable) || IsSet(PolicyVariable))
            return;
        try
        {
            IsTooLate = IsLoaded();
            _ = SetEnvironment(SpinVariable, SpinCount, overwrite: 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DllNotFoundException
            or EntryPointNotFoundException)
        {
            // A system without /proc, or another C library: threads wait as they do there.
        }
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is not null;

    private static bool IsLoaded() =>
        File.ReadLines("/proc/self/maps").Any(line => line.Contains("/libtorch", StringComparison.Ordinal));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
