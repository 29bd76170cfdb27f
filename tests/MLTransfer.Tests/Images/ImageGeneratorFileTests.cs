using System.IO.Compression;
using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Images;

public sealed class ImageGeneratorFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _numbers;
    private readonly ImageGeneratorTransformer _model;

    public ImageGeneratorFileTests()
    {
        var options = TinyGenerator.Options(
            TinyGenerator.Save(_folder), o => (o.Truncation, o.Noise) = (0.8, NoiseMode.None), t => t with { TotalImages = 8 });
        _model = _ml.Transforms.FineTuneImageGenerator("Picture", "Number", "Image", options)
            .Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(8)));
        _numbers = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(number => new Story { Number = number }));
        _ml.Model.Save(_model, _numbers.Schema, _folder["model.zip"]);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_saved_generator_makes_the_same_pictures_after_loading()
    {
        var expected = TinyGenerator.Pixels(_model.Transform(_numbers));

        using var loaded = Load("model.zip");

        Assert.Equal(expected, TinyGenerator.Pixels(loaded.Transform(_numbers)));
        Assert.Equal((0.8, NoiseMode.None, 3), (loaded.Truncation, loaded.Noise, loaded.GenerationBatchSize));
        _ml.Model.Save(loaded, _numbers.Schema, _folder["again.zip"]);
        using var again = Load("again.zip");
        Assert.Equal(expected, TinyGenerator.Pixels(again.Transform(_numbers)));
    }

    [Fact]
    public async Task Another_process_that_calls_only_ML_NET_loads_and_makes_the_same_pictures()
    {
        var found = await LoadingProcess.RunForPicturesAsync(_folder["model.zip"], "Picture", ["0", "1", "2", "3"]);

        var expected = TinyGenerator.Pixels(_model.Transform(_numbers));
        Assert.Equal(4, found.Count);
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("generator.safetensors")]
    [InlineData("discriminator.safetensors")]
    public void A_missing_file_is_named(string name)
    {
        using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
            zip.Entries.Single(entry => entry.Name == name).Delete();

        Assert.Contains(name, Assert.ThrowsAny<Exception>(() => Load("model.zip")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_byte_is_either_found_or_changes_nothing()
    {
        var expected = TinyGenerator.Pixels(_model.Transform(_numbers));
        var bytes = File.ReadAllBytes(_folder["model.zip"]);
        var random = new Random(7);
        var refused = 0;
        for (var round = 0; round < 30; round++)
        {
            var changed = (byte[])bytes.Clone();
            changed[round % 2 == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(2000)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder["changed.zip"], changed);
            try
            {
                using var loaded = Load("changed.zip");
                Assert.Equal(expected, TinyGenerator.Pixels(loaded.Transform(_numbers)));
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 10, 30);
    }

    private ImageGeneratorTransformer Load(string zip) => new MLContext(99).Model.Load(_folder[zip], out _) switch
    {
        ImageGeneratorTransformer transformer => transformer,
        var chain => (ImageGeneratorTransformer)((IEnumerable<ITransformer>)chain).Last(),
    };
}
