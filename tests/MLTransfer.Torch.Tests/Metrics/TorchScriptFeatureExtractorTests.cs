using MLTransfer.Torch.Metrics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

public sealed class TorchScriptFeatureExtractorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Images_are_resized_and_brought_to_the_modules_range()
    {
        using var scope = NewDisposeScope();
        TorchScriptFile.Write(_folder["mean.pt"], "torch.mean(x, [2, 3])");
        var images = stack([full([3, 8, 8], -1, ScalarType.Float32), full([3, 8, 8], 0.5, ScalarType.Float32)], 0);
        using (var extractor = new TorchScriptFeatureExtractor(_folder["mean.pt"]))
            Assert.Equal([-1f, -1, -1, 0.5f, 0.5f, 0.5f], extractor.Extract(images).data<float>().ToArray());
        using (var extractor = new TorchScriptFeatureExtractor(_folder["mean.pt"], resolution: 5, black: 0, white: 255))
            Assert.Equal([0f, 0, 0, 191.25f, 191.25f, 191.25f], extractor.Extract(images).data<float>().ToArray());
    }

    [Fact]
    public void A_missing_file_or_one_of_another_kind_is_refused_by_name()
    {
        File.WriteAllText(_folder["text.pt"], "not a module");
        Assert.Contains(
            "absent.pt", Assert.Throws<FileNotFoundException>(() => new TorchScriptFeatureExtractor(_folder["absent.pt"])).Message);
        Assert.Contains("text.pt", Assert.Throws<InvalidDataException>(() => new TorchScriptFeatureExtractor(_folder["text.pt"])).Message);
    }
}
