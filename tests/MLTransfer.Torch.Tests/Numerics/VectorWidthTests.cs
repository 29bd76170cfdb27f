using System.Runtime.Intrinsics;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>
/// That a process has the vectors that its environment leaves it, so that what is tested in it is what it is meant to be.
/// </summary>
public class VectorWidthTests
{
    public const string WithoutAvx512 = "DOTNET_EnableAVX512";
    public const string WithoutAvx2 = "DOTNET_EnableAVX2";

    [Fact]
    public void Vectors_are_as_wide_as_the_environment_allows()
    {
        var (no512, no256) = (IsOff(WithoutAvx512), IsOff(WithoutAvx2));
        Assert.SkipUnless(no512 || no256, "Nothing is switched off: see LesserProcessorTests.");

        Assert.False(Vector512.IsHardwareAccelerated);
        Assert.Equal(!no256, Vector256.IsHardwareAccelerated);
        Assert.True(Vector128.IsHardwareAccelerated);

        static bool IsOff(string variable) => Environment.GetEnvironmentVariable(variable) == "0";
    }
}
