using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>Where an ML.NET context says that networks compute: <c>MLContext.GpuDeviceId</c> and <c>FallbackToCpu</c>.</summary>
internal static class ComputeDevice
{
    /// <exception cref="InvalidOperationException">
    /// The context asks for a graphics processor that is not there, and not for the CPU in its place.
    /// </exception>
    public static Device Of(IHostEnvironment environment)
    {
        if (environment is not IHostEnvironmentInternal { GpuDeviceId: { } number } context)
            return CPU;
        var count = cuda.is_available() ? cuda.device_count() : 0;
        if (number >= 0 && number < count)
            return device(DeviceType.CUDA, number);
        var missing = count == 0
            ? "libtorch sees no graphics processor that CUDA knows; the package for it comes with the build property TorchBackend"
            : $"libtorch sees {count} of them, from 0 to {count - 1}";
        if (!context.FallbackToCpu)
        {
            throw new InvalidOperationException(
                $"MLContext.GpuDeviceId is {number}, but {missing}. Set FallbackToCpu to compute on the CPU in that case.");
        }

        using var channel = environment.Start("Choosing a device");
        channel.Warning($"MLContext.GpuDeviceId is {number}, but {missing}. The CPU computes.");
        return CPU;
    }

    /// <summary>Whether two devices are one.</summary>
    public static bool IsSame(Device one, Device other) =>
        one.type == other.type && (one.type == DeviceType.CPU || Math.Max(0, one.index) == Math.Max(0, other.index));
}
