using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using BenchmarkDotNet.Environments;
using MLTransfer.Torch.Numerics.Lanes;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Report;

/// <summary>What the measurements ran on.</summary>
internal sealed record Machine
{
    public required string Processor { get; init; }

    public required int? PhysicalCores { get; init; }

    public required int LogicalCores { get; init; }

    /// <summary>Threads of libtorch's operations and of the library's kernels.</summary>
    public required int Threads { get; init; }

    public required IReadOnlyList<string> InstructionSets { get; init; }

    public required string OperatingSystem { get; init; }

    public required string Runtime { get; init; }

    public required string Libtorch { get; init; }

    /// <summary>What the library does on this processor.</summary>
    public required IReadOnlyDictionary<string, string> ComputePaths { get; init; }

    public static Machine Describe()
    {
        var host = HostEnvironmentInfo.GetCurrent();
        return new Machine
        {
            Processor = host.Cpu.Value?.ProcessorName ?? RuntimeInformation.ProcessArchitecture.ToString(),
            PhysicalCores = host.Cpu.Value?.PhysicalCoreCount,
            LogicalCores = Environment.ProcessorCount,
            Threads = get_num_threads(),
            InstructionSets = [.. Instructions().Where(set => set.IsSupported).Select(set => set.Name)],
            OperatingSystem = RuntimeInformation.OSDescription,
            Runtime = RuntimeInformation.FrameworkDescription,
            Libtorch = __version__,
            ComputePaths = new Dictionary<string, string>
            {
                ["training with Precision.Auto"] = ProcessorFeatures.HasBFloat16Products ? "bfloat16 products" : "float32 products",
                ["optimizer and logits kernels"] = $"vectors of {8 * Vector<byte>.Count} bits",
            },
        };
    }

    private static (string Name, bool IsSupported)[] Instructions() =>
    [
        ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512F", Avx512F.IsSupported), ("AVX-512BW", Avx512BW.IsSupported),
        ("AVX-512VBMI", Avx512Vbmi.IsSupported), ("BF16 products", ProcessorFeatures.HasBFloat16Products), ("AdvSimd", AdvSimd.IsSupported),
        ("Dp", Dp.IsSupported), ("Vector512 in hardware", Vector512.IsHardwareAccelerated),
    ];
}
