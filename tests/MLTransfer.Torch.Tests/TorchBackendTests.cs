using TorchSharp;
using Xunit;

namespace MLTransfer.Torch.Tests;

public class TorchBackendTests
{
    [Fact]
    public void Native_library_loads_and_computes() => Assert.Equal(2, torch.ones(2).sum().item<float>());
}
