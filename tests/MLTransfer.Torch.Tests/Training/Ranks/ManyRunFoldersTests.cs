using MLTransfer.Torch.Training;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Ranks;

public class ManyRunFoldersTests
{
    [Fact]
    public async Task Runs_that_begin_at_the_same_time_do_not_take_each_others_folders_for_abandoned()
    {
        var threads = Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 60; i++)
                {
                    using var folder = new RunFolder(null);
                    Assert.True(Directory.Exists(folder.Path));
                }
            }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        await Task.WhenAll(threads);
    }
}
