using System.Diagnostics;
using System.Runtime.Intrinsics;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>The tests of kernels once more, in processes that are kept from instructions that this processor has.</summary>
public class LesserProcessorTests
{
    private static readonly Type[] s_kernelTests =
    [
        typeof(RowProductTests), typeof(Int8ProductTests), typeof(Int4MatrixTests), typeof(Int4RoundingTests), typeof(RowAttentionTests),
        typeof(RowActivationsTests), typeof(RowNormalizationTests), typeof(RowRotationTests), typeof(RowConvolutionTests),
        typeof(WinogradConvolutionTests), typeof(VectorWidthTests),
    ];

    [Theory]
    [InlineData(VectorWidthTests.WithoutAvx512)]
    [InlineData(VectorWidthTests.WithoutAvx2)]
    public async Task Kernels_pass_their_tests_without_wide_vectors(string variable)
    {
        Assert.SkipUnless(Vector256.IsHardwareAccelerated, "This process has no wide vectors itself.");
        string[] filters = [.. s_kernelTests.SelectMany(type => (string[])["-class", type.FullName!])];
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(LesserProcessorTests).Assembly.Location, .. filters])
        {
            RedirectStandardOutput = true, Environment = { [variable] = "0", ["OMP_NUM_THREADS"] = "1" },
        })!;

        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output);
    }
}
