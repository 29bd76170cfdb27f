using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Collectives;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>A program whose ranks are threads: the same fit on each, and texts made by both.</summary>
public class SharedGenerationTests
{
    [Fact]
    public void Ranks_that_fitted_together_make_the_texts_of_one_that_makes_all()
    {
        var results = ThreadCollective.Run(2, ranks =>
        {
            var ml = new MLContext(seed: 1);
            var data = ml.Data.LoadFromEnumerable(TestData.Stories(5));
            using var model = ml.Transforms.Text.FineTuneTextGenerator(
                "Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(options =>
                {
                    options.Training = options.Training with { Collective = ranks, BatchSize = 1, Threads = 1 };
                    options.Generation = options.Generation with { Sample = true, Temperature = 2 };
                    options.Seed = 7;
                })).Fit(data);
            var share = ml.Data.TakeShare(data, ranks);
            var own = model.Transform(share).GetColumn<string>("Out").ToList();
            var all = model.Transform(data).GetColumn<string>("Out").ToList();
            return (Count: own.Count, Gathered: ranks.Gather(own), All: all, Weights: TransformerWeights.Bytes(model));
        });

        Assert.Equal([2, 3], results.Select(result => result.Count));
        Assert.All(results, result =>
        {
            Assert.Equal(result.All, result.Gathered);
            Assert.Equal(results[0].All, result.All);
            Assert.Equal(results[0].Weights, result.Weights);
        });
        Assert.Equal(5, results[0].All.Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void Shares_of_rows_are_all_rows_in_their_order_also_where_there_are_fewer_than_ranks(int count)
    {
        var shares = ThreadCollective.Run(3, ranks =>
        {
            var ml = new MLContext(seed: 1);
            var data = ml.Data.LoadFromEnumerable(TestData.Stories(count));
            return ml.Data.TakeShare(data, ranks).GetColumn<string>("Opening").ToList();
        });
        Assert.Equal(TestData.Stories(count).Select(story => story.Opening), shares.SelectMany(share => share));
        Assert.True(shares.Max(share => share.Count) - shares.Min(share => share.Count) <= 1);
    }
}
