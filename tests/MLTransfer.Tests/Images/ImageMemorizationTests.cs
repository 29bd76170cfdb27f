using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Images;

public sealed class ImageMemorizationTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pictures_that_the_model_repeats_are_found_and_others_are_not()
    {
        var seeds = TinyGenerator.Seeds(_ml, 12);
        using var model = _ml.Transforms.GenerateImages("Picture", "Seed", TinyGenerator.Save(_folder)).Fit(seeds);
        var own = model.Transform(seeds).GetColumn<MLImage>("Picture").Reverse().Select(picture => new PictureRow { Picture = picture });
        var repeated = _ml.Generation.EvaluateMemorization(model, _ml.Data.LoadFromEnumerable(own), "Picture", count: 8);

        Assert.Equal(8, repeated.Images.Count);
        Assert.All(repeated.Images.Index(), image => Assert.Equal((image.Index, 11 - image.Index), ((int)image.Item.Seed, image.Item.Row)));
        Assert.True(repeated.MedianDistance < repeated.MedianTrainingDistance / 3, $"{repeated.MedianDistance}");
        Assert.Equal(1, repeated.CloseShare);

        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(30));
        var others = _ml.Generation.EvaluateMemorization(model, drawings, "Image", count: 8);
        Assert.Equal(0, others.CloseShare);
        Assert.True(others.MedianDistance > others.MedianTrainingDistance);

        // Over the features of a network: here the mean colour.
        var colours = new DelegateFeatureExtractor(images => images.mean([2, 3]));
        Assert.NotEqual(
            others.MedianDistance, _ml.Generation.EvaluateMemorization(model, drawings, "Image", colours, count: 8).MedianDistance);
        Assert.Contains("two images", Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateMemorization(
            model, _ml.Data.LoadFromEnumerable(Drawings.Make(1)), "Image")).Message);
    }
}
