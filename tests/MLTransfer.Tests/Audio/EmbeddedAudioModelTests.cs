using MLTransfer.Cards;
using Xunit;

namespace MLTransfer.Tests.Audio;

public class EmbeddedAudioModelTests
{
    [Theory]
    [InlineData(PretrainedModels.Tunes, "Tunes")]
    [InlineData(PretrainedModels.Voice, "Voice")]
    public void Without_its_package_a_model_is_refused_with_the_command_that_adds_it(string id, string package)
    {
        var error = Assert.Throws<DirectoryNotFoundException>(
            () => PretrainedModels.ResolveFolder(id, revision: null, progress: null, TestContext.Current.CancellationToken));
        Assert.Contains($"dotnet add package MLTransfer.Models.{package}", error.Message, StringComparison.Ordinal);
        Assert.True(PretrainedModels.IsEmbedded(id));
        Assert.Equal("mit", BaseOrigin.Read(id, folder: "").License);
    }
}
