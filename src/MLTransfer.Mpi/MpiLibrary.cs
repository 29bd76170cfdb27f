using System.Reflection;
using System.Runtime.InteropServices;

namespace MLTransfer.Mpi;

/// <summary>
/// The MPI library of this process, with its handles: Open MPI 4 and 5 (<c>libmpi.so.40</c>), or MPICH 3 and 4 and what has its binary
/// interface, such as Intel MPI and MVAPICH (<c>libmpi.so.12</c>; Debian: <c>libmpich.so.12</c>).
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names the library's file where the system's names do not lead to it.</summary>
    public const string PathVariable = "MLTRANSFER_MPI_LIBRARY";

    private const int VersionLength = 8192; // MPI_MAX_LIBRARY_VERSION_STRING of either is no longer

    private static readonly string[] s_openMpi = ["libmpi.so.40", "libmpi.40.dylib"];
    private static readonly string[] s_mpich = ["libmpi.so.12", "libmpich.so.12", "libmpi.12.dylib"];
    private static readonly string[] s_any = ["libmpi.so", "libmpi.dylib"];

    private static readonly Lazy<MpiLibrary> s_loaded = new(Load);

    private MpiLibrary(nint library)
    {
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out var world))
        {
            // Open MPI: a handle is the address of a variable that the library exports (mpi.h, OMPI_PREDEFINED_GLOBAL).
            World = world;
            (Single, Double) = (Export("ompi_mpi_float"), Export("ompi_mpi_double"));
            (Byte, Sum, ErrorsReturn) = (Export("ompi_mpi_byte"), Export("ompi_mpi_op_sum"), Export("ompi_mpi_errors_return"));
            InPlace = 1;
        }
        else
        {
            // MPICH: a handle is a number (mpi.h).
            (World, Single, Double, Byte) = (0x44000000, 0x4c00040a, 0x4c00080b, 0x4c00010d);
            (Sum, ErrorsReturn, InPlace) = (0x58000003, 0x54000001, -1);
        }

        nint Export(string name) => NativeLibrary.GetExport(library, name);
    }

    /// <summary>The process's one.</summary>
    /// <exception cref="DllNotFoundException">There is none; the message says what to install.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is Windows.</exception>
    public static MpiLibrary Loaded => s_loaded.Value;

    /// <summary>MPI_COMM_WORLD.</summary>
    public nint World { get; }

    /// <summary>MPI_FLOAT.</summary>
    public nint Single { get; }

    /// <summary>MPI_DOUBLE.</summary>
    public nint Double { get; }

    /// <summary>MPI_BYTE.</summary>
    public nint Byte { get; }

    /// <summary>MPI_SUM.</summary>
    public nint Sum { get; }

    /// <summary>MPI_ERRORS_RETURN: a function that fails returns a code, instead of ending the process.</summary>
    public nint ErrorsReturn { get; }

    /// <summary>MPI_IN_PLACE: what is sent lies where the result goes.</summary>
    public nint InPlace { get; }

    /// <summary>What the library says it is, such as "Open MPI v4.1.4".</summary>
    public string Version
    {
        get
        {
            var text = stackalloc byte[VersionLength];
            Check(nameof(MpiFunctions.MPI_Get_library_version), MpiFunctions.MPI_Get_library_version(text, out _));
            var lines = Marshal.PtrToStringUTF8((nint)text)!.Split('\n', ',');
            return string.Join(' ', lines[0].Split((char[])[' ', '\t', ':'], StringSplitOptions.RemoveEmptyEntries));
        }
    }

    /// <exception cref="MpiException">The code is not that of success.</exception>
    public static void Check(string function, int code)
    {
        if (code == 0)
            return;
        var text = stackalloc byte[VersionLength];
        MpiFunctions.MPI_Error_string(code, text, out _);
        throw new MpiException($"{function} failed: {Marshal.PtrToStringUTF8((nint)text)} (code {code}).", code);
    }

    private static MpiLibrary Load()
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("Ranks are processes of Linux or macOS; on Windows there is WSL.");

        // UCX, which clusters' MPI libraries sit on, takes SIGSEGV for itself when it is loaded, by which .NET finds null references: such
        // an exception would end the process.
        _ = MpiFunctions.SetEnvironment("UCX_HANDLE_ERRORS", "none", overwrite: 0);
        var names = Names();
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var library))
                continue;
            NativeLibrary.SetDllImportResolver(
                Assembly.GetExecutingAssembly(), (asked, _, _) => asked == MpiFunctions.Library ? library : 0);
            return new MpiLibrary(library);
        }

        throw new DllNotFoundException(
            $"There is no MPI library: none of {string.Join(", ", names)} could be loaded. Install Open MPI (Debian: apt-get install "
            + $"openmpi-bin) or MPICH (mpich) on every machine, or name the library's file in {PathVariable}.");
    }

    /// <summary>The files to try: that of the launcher's own library first, where it says which it is.</summary>
    private static string[] Names()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path)
            return [path];
        return MpiLauncher.Kind switch
        {
            MpiLauncher.LauncherKind.Mpich => [.. s_mpich, .. s_any, .. s_openMpi],
            _ => [.. s_openMpi, .. s_mpich, .. s_any],
        };
    }
}
