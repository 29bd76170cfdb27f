using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

/// <summary>Random tensors that are the same on every device: libtorch's generators of a seed of one's own are the processor's.</summary>
internal static class SeededTensors
{
    /// <summary>Standard normal numbers.</summary>
    /// <param name="shape">The tensor's.</param>
    /// <param name="type">The tensor's.</param>
    /// <param name="device">Where the tensor goes.</param>
    /// <param name="generator">What is drawn with; null for libtorch's own generator of the device.</param>
    public static Tensor Normal(ReadOnlySpan<long> shape, ScalarType type, Device device, Generator? generator)
    {
        var sizes = shape.ToArray();
        return Draw(device, generator, place => randn(sizes, type, place, generator: generator));
    }

    /// <summary>A tensor that is drawn into an empty one; see <see cref="Normal"/>.</summary>
    /// <param name="shape">The tensor's.</param>
    /// <param name="type">The tensor's.</param>
    /// <param name="device">Where the tensor goes.</param>
    /// <param name="generator">What is drawn with; null for libtorch's own generator of the device.</param>
    /// <param name="fill">Fills the tensor, with the generator.</param>
    public static Tensor Filled(
        ReadOnlySpan<long> shape, ScalarType type, Device device, Generator? generator, Func<Tensor, Tensor> fill)
    {
        var sizes = shape.ToArray();
        return Draw(device, generator, place => fill(empty(sizes, type, place)));
    }

    private static Tensor Draw(Device device, Generator? generator, Func<Device, Tensor> draw)
    {
        if (generator is null || device.type == TorchSharp.DeviceType.CPU)
            return draw(device);
        using var drawn = draw(CPU);
        return drawn.to(device);
    }
}
