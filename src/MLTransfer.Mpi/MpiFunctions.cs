using System.Runtime.InteropServices;

namespace MLTransfer.Mpi;

/// <summary>The functions of MPI (MPI: A Message-Passing Interface Standard, version 3.1) that are used, as C declares them.</summary>
/// <remarks>
/// Handles travel as nint: Open MPI's are addresses, those of MPICH and its kin 32-bit numbers, which the same register holds. Counts are
/// 32-bit.
/// </remarks>
internal static unsafe partial class MpiFunctions
{
    /// <summary>A name that <see cref="MpiLibrary"/> resolves.</summary>
    public const string Library = "mpi";

    [LibraryImport(Library)]
    public static partial int MPI_Init_thread(int* argc, byte*** argv, int required, out int provided);

    [LibraryImport(Library)]
    public static partial int MPI_Initialized(out int flag);

    [LibraryImport(Library)]
    public static partial int MPI_Finalize();

    [LibraryImport(Library)]
    public static partial int MPI_Abort(nint comm, int code);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_rank(nint comm, out int rank);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_size(nint comm, out int size);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_set_errhandler(nint comm, nint handler);

    [LibraryImport(Library)]
    public static partial int MPI_Error_string(int code, byte* text, out int length);

    [LibraryImport(Library)]
    public static partial int MPI_Get_library_version(byte* text, out int length);

    [LibraryImport(Library)]
    public static partial int MPI_Allreduce(nint send, void* receive, int count, nint type, nint operation, nint comm);

    [LibraryImport(Library)]
    public static partial int MPI_Allgather(void* send, int sendCount, nint sendType, void* receive, int count, nint type, nint comm);

    [LibraryImport(Library)]
    public static partial int MPI_Bcast(void* buffer, int count, nint type, int root, nint comm);

    [LibraryImport(Library)]
    public static partial int MPI_Barrier(nint comm);

    /// <summary>Environment.SetEnvironmentVariable does not reach native code.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironment(string name, string value, int overwrite);
}
