using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Memory;

/// <summary>Tensors over memory that libtorch does not own, and spans over the memory of tensors.</summary>
internal static partial class NativeTensor
{
    /// <summary>libtorch's deleter is told the address only, so this finds the owner (and the number of tensors over it) again.</summary>
    private static readonly Dictionary<IntPtr, (SafeHandle Owner, int Tensors)> s_owners = [];
    private static readonly Lock s_lock = new();

    static NativeTensor() => InitializeDeviceType(DeviceType.CPU);   // loads the native library that the imports below name

    /// <summary>
    /// Makes a CPU tensor over <paramref name="data"/>, row-major, without a copy. Several tensors may lie over the same address as long as
    /// they name the same owner. Like every new tensor it belongs to the caller's current dispose scope, if there is one.
    /// </summary>
    /// <param name="data">The first element, aligned for its type; ignored when the shape has no elements.</param>
    /// <param name="shape">The extents, none negative; the caller has checked that the elements lie within the owner's memory.</param>
    /// <param name="type">The element type.</param>
    /// <param name="owner">Holds the memory; referenced until the last tensor over the new tensor's storage is disposed.</param>
    public static unsafe Tensor FromPointer(IntPtr data, ReadOnlySpan<long> shape, ScalarType type, SafeHandle owner)
    {
        // The end of one owner's memory can be the address of another's: only memory with elements in it may enter the table.
        if (shape.Contains(0)) return empty(shape.ToArray(), dtype: type);

        Retain(data, owner);
        IntPtr handle;
        fixed (long* sizes = shape)
        {
            handle = THSTensor_new(data, &Release, sizes, shape.Length, (sbyte)type, (sbyte)type, (int)DeviceType.CPU, -1, 0);
        }
        if (handle == IntPtr.Zero)
        {
            CheckForErrors();
            throw new InvalidOperationException($"libtorch could not make a tensor of shape [{string.Join(", ", shape.ToArray())}].");
        }
        return Tensor.UnsafeCreateTensor(handle);
    }

    /// <summary>
    /// The elements of a contiguous CPU tensor, in row-major order. The span does not keep the tensor alive: the caller does
    /// (<see cref="GC.KeepAlive"/>, or a use of the tensor after the span's last use).
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The tensor is elsewhere, is not contiguous, has elements of another size, or more of them than a span holds.
    /// </exception>
    public static unsafe Span<T> AsSpan<T>(Tensor tensor) where T : unmanaged
    {
        if (ElementSize(tensor.dtype) != sizeof(T))
            throw new ArgumentException($"Elements of {tensor.dtype} are not {sizeof(T)} bytes wide.", nameof(tensor));
        long count = tensor.numel();
        if (count > Array.MaxLength)
            throw new ArgumentException($"{count} elements do not fit into a span; narrow the tensor first.", nameof(tensor));
        return new Span<T>(Pointer(tensor), (int)count);
    }

    /// <summary>Some neighbouring elements of a contiguous CPU tensor, as <see cref="AsSpan{T}(Tensor)"/> gives all.</summary>
    /// <param name="tensor">The tensor; the caller keeps it alive.</param>
    /// <param name="start">The first of them.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentException">The tensor is elsewhere, is not contiguous, or has elements of another size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor does not have these elements.</exception>
    public static unsafe Span<T> AsSpan<T>(Tensor tensor, long start, int length)
        where T : unmanaged
    {
        if (ElementSize(tensor.dtype) != sizeof(T))
            throw new ArgumentException($"Elements of {tensor.dtype} are not {sizeof(T)} bytes wide.", nameof(tensor));
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, tensor.numel() - start);
        return new Span<T>((T*)Pointer(tensor) + start, length);
    }

    /// <summary>The address of the first element of a contiguous CPU tensor; the caller keeps the tensor alive.</summary>
    /// <exception cref="ArgumentException">The tensor is not on the CPU or not contiguous.</exception>
    public static unsafe void* Pointer(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
            throw new ArgumentException($"The tensor is on {tensor.device}, not on the CPU.", nameof(tensor));
        if (!tensor.is_contiguous()) throw new ArgumentException("The tensor is not contiguous.", nameof(tensor));
        return (void*)THSTensor_data(tensor.Handle);
    }

    /// <summary>The bytes of one element.</summary>
    /// <exception cref="NotSupportedException">A type that no supported checkpoint format stores.</exception>
    public static int ElementSize(ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 => 8,
        _ => throw new NotSupportedException($"The element type {type} is not supported."),
    };

    /// <summary>What holds the memory of a tensor that <see cref="FromPointer"/> made, or of one over the same storage; null of
    /// others.</summary>
    public static unsafe SafeHandle? OwnerOf(Tensor tensor)
    {
        lock (s_lock)
            return s_owners.TryGetValue((IntPtr)Pointer(tensor), out var entry) ? entry.Owner : null;
    }

    private static void Retain(IntPtr data, SafeHandle owner)
    {
        lock (s_lock)
        {
            (SafeHandle Owner, int Tensors) entry = s_owners.TryGetValue(data, out var known) ? known : (owner, 0);
            if (!ReferenceEquals(entry.Owner, owner))
                throw new InvalidOperationException("Two owners claim the same memory.");
            if (entry.Tensors == 0)
            {
                bool added = false;
                owner.DangerousAddRef(ref added);
            }
            s_owners[data] = (owner, entry.Tensors + 1);
        }
    }

    /// <summary>
    /// Called by libtorch, on any thread, when the last tensor over a storage dies; may throw nothing through native frames.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(IntPtr data)
    {
        try
        {
            lock (s_lock)
            {
                if (!s_owners.TryGetValue(data, out var entry)) return;
                if (entry.Tensors > 1)
                {
                    s_owners[data] = (entry.Owner, entry.Tensors - 1);
                    return;
                }
                // Inside the lock, because the address may be handed out again as soon as it is free.
                s_owners.Remove(data);
                entry.Owner.DangerousRelease();
            }
        }
#pragma warning disable CA1031 // An exception here would end the process; the worst that remains is memory that is not given back.
        catch
#pragma warning restore CA1031
        {
        }
    }

    [LibraryImport("LibTorchSharp")]
    private static unsafe partial IntPtr THSTensor_new(IntPtr data, delegate* unmanaged[Cdecl]<IntPtr, void> deleter, long* sizes,
        int dimensions, sbyte scalarType, sbyte dataType, int deviceType, int deviceIndex, byte requiresGradient);

    [LibraryImport("LibTorchSharp")]
    private static partial IntPtr THSTensor_data(IntPtr tensor);
}
