using System.Runtime.InteropServices;
using MLTransfer.Torch.Collectives;

namespace MLTransfer.Mpi;

/// <summary>
/// The processes that <c>mpirun</c>, <c>srun</c> or an MPIJob started, as ranks of one training: MPI_COMM_WORLD. A process that none of
/// them started is alone.
/// </summary>
/// <remarks>
/// <c>using var ranks = MpiCollective.Start();</c> stands at the beginning of the program. A program that leaves it by an exception, or
/// ends by one that nobody catches, ends all ranks; so does a training that fails or is cancelled on one rank. The exit code is 1 then,
/// after a cancellation 143, as of a process that was asked to end.
/// </remarks>
public sealed unsafe class MpiCollective : ICollective, IDisposable
{
    private const int ThreadSerialized = 2; // MPI_THREAD_SERIALIZED: any thread, one at a time
    private const int Failure = 1;
    private const int Cancellation = 143; // 128 + SIGTERM
    private const int NumbersOfMessage = 1 << 24;
    private const int BytesOfMessage = 1 << 26;

    private static MpiCollective? s_started;

    private readonly MpiLibrary _library;
    private bool _isEnded;

    private MpiCollective(MpiLibrary library)
    {
        _library = library;
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Init_thread), MpiFunctions.MPI_Init_thread(null, null, ThreadSerialized, out var level));
        if (level < ThreadSerialized)
            throw new MpiException($"{Library} can be called by its first thread alone (level {level}); expected one built for threads.");
        MpiLibrary.Check(
            nameof(MpiFunctions.MPI_Comm_set_errhandler), MpiFunctions.MPI_Comm_set_errhandler(library.World, library.ErrorsReturn));
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Comm_rank), MpiFunctions.MPI_Comm_rank(library.World, out var rank));
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Comm_size), MpiFunctions.MPI_Comm_size(library.World, out var size));
        (Rank, Size) = (rank, size);
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <summary>What the MPI library says it is.</summary>
    public string Library => _library.Version;

    /// <summary>Starts MPI in this process; once in its life.</summary>
    /// <exception cref="DllNotFoundException">No MPI library is installed.</exception>
    /// <exception cref="MpiException">
    /// The library cannot be used, or is another one than that of the program that started the processes, so that each is alone.
    /// </exception>
    /// <exception cref="InvalidOperationException">It was started before.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is Windows.</exception>
    public static MpiCollective Start()
    {
        var library = MpiLibrary.Loaded;
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Initialized), MpiFunctions.MPI_Initialized(out var isInitialized));
        if (isInitialized != 0)
            throw new InvalidOperationException("MPI was started before; a process starts it once.");
        s_started = new MpiCollective(library);
        if (s_started.Size == 1 && MpiLauncher.Size > 1)
        {
            throw new MpiException(
                $"{MpiLauncher.Size} processes were started, but {s_started.Library} knows of this one alone: the program that started "
                + $"them belongs to another MPI library. Start them with this one's mpirun, or name the library's file in "
                + $"{MpiLibrary.PathVariable}.");
        }

        AppDomain.CurrentDomain.UnhandledException += (_, end) => s_started.Abort((Exception)end.ExceptionObject);
        return s_started;
    }

    /// <inheritdoc/>
    public void AllReduceSum(Span<float> values)
    {
        fixed (float* address = values)
            AllReduceSum(address, values.Length, sizeof(float), _library.Single);
    }

    /// <inheritdoc/>
    public void AllReduceSum(Span<double> values)
    {
        fixed (double* address = values)
            AllReduceSum(address, values.Length, sizeof(double), _library.Double);
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> bytes, int root = 0)
    {
        CheckUse();
        fixed (byte* address = bytes)
        {
            for (var start = 0; start < bytes.Length; start += BytesOfMessage)
            {
                MpiLibrary.Check(nameof(MpiFunctions.MPI_Bcast), MpiFunctions.MPI_Bcast(
                    address + start, Math.Min(BytesOfMessage, bytes.Length - start), _library.Byte, root, _library.World));
            }
        }
    }

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        CheckUse();
        if (all.Length != (long)own.Length * Size)
            throw new ArgumentException($"{all.Length} bytes do not hold {own.Length} of each of {Size} ranks.", nameof(all));
        fixed (byte* from = own)
        fixed (byte* to = all)
        {
            MpiLibrary.Check(nameof(MpiFunctions.MPI_Allgather), MpiFunctions.MPI_Allgather(
                from, own.Length, _library.Byte, to, own.Length, _library.Byte, _library.World));
        }
    }

    /// <inheritdoc/>
    public void Barrier()
    {
        CheckUse();
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Barrier), MpiFunctions.MPI_Barrier(_library.World));
    }

    /// <summary>Ends the processes of all ranks, this one included; it does not return.</summary>
    /// <param name="reason">Is written to the standard error stream. The exit code is 1, or 143 for a cancellation.</param>
    public void Abort(Exception reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        if (_isEnded)
            return; // nobody waits for this rank any more
        Console.Error.WriteLine($"Rank {Rank} of {Size} ends all: {reason}");
        Console.Error.Flush();
        Console.Out.Flush();
        var code = reason is OperationCanceledException ? Cancellation : Failure;
        _ = MpiFunctions.MPI_Abort(_library.World, code);
        Environment.Exit(code); // MPI's may only try to end this process
    }

    /// <summary>
    /// Leaves the other ranks, when they leave too (MPI_Finalize). Where an exception is under way it ends all of them instead, since they
    /// may be waiting for this one.
    /// </summary>
    public void Dispose()
    {
        if (_isEnded)
            return;
        if (Marshal.GetExceptionPointers() != 0)
            Abort(new MpiException("the program was left by an exception."));
        _isEnded = true;
        MpiLibrary.Check(nameof(MpiFunctions.MPI_Finalize), MpiFunctions.MPI_Finalize());
    }

    private void AllReduceSum(void* values, int count, int size, nint type)
    {
        CheckUse();
        for (var start = 0; start < count; start += NumbersOfMessage)
        {
            MpiLibrary.Check(nameof(MpiFunctions.MPI_Allreduce), MpiFunctions.MPI_Allreduce(
                _library.InPlace, (byte*)values + (long)start * size, Math.Min(NumbersOfMessage, count - start), type, _library.Sum,
                _library.World));
        }
    }

    private void CheckUse() => ObjectDisposedException.ThrowIf(_isEnded, this);
}
