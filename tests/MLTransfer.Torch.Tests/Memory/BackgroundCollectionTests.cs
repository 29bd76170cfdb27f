using System.Runtime;
using MLTransfer.Torch.Memory;
using Xunit;

namespace MLTransfer.Torch.Tests.Memory;

[Collection(ProcessWideState.Name)]
public class BackgroundCollectionTests
{
    [Fact]
    public void There_is_none_until_the_last_holder_is_gone()
    {
        var before = GCSettings.LatencyMode;
        var first = BackgroundCollection.HoldBack();
        var second = BackgroundCollection.HoldBack();
        Assert.Equal(GCLatencyMode.Batch, GCSettings.LatencyMode);
        first.Dispose();
        first.Dispose(); // counts once
        Assert.Equal(GCLatencyMode.Batch, GCSettings.LatencyMode);
        second.Dispose();
        Assert.Equal(before, GCSettings.LatencyMode);
    }
}
