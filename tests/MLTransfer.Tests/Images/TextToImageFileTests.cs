using System.IO.Compression;
using MLTransfer.Tests.Persistence;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Images;

public sealed class TextToImageFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;
    private readonly string _dalle;

    public TextToImageFileTests()
    {
        _dalle = TinyCaptions.Save(_folder["dalle"]);
        _data = _ml.Data.LoadFromEnumerable(TinyCaptions.Rows(4));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_saved_generator_makes_the_same_pictures_after_loading_and_in_another_process()
    {
        using var model = Fit(adapterOnly: false);
        var expected = TinyGenerator.Pixels(model.Transform(_data));
        using (var loaded = Load("model.zip"))
        {
            Assert.Equal(expected, TinyGenerator.Pixels(loaded.Transform(_data)));
            Assert.Equal((3, 5L, model.Generation), (loaded.GenerationBatchSize, loaded.Seed, loaded.Generation));
            _ml.Model.Save(loaded, _data.Schema, _folder["again.zip"]);
        }

        using (var again = Load("again.zip"))
            Assert.Equal(expected, TinyGenerator.Pixels(again.Transform(_data)));
        string[] captions = [.. TinyCaptions.Rows(4).Select(row => row.Opening!)];
        var found = await LoadingProcess.RunForPicturesAsync(_folder["model.zip"], "Picture", captions);
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
        Assert.Equal(4, found.Count);
    }

    [Fact]
    public void A_file_of_adapters_alone_needs_its_base_and_both_are_bases_of_further_training()
    {
        using var model = Fit(adapterOnly: true);
        var expected = TinyGenerator.Pixels(model.Transform(_data));
        var weights = new FileInfo(Path.Combine(_dalle, "model.safetensors")).Length;
        Assert.InRange(new FileInfo(_folder["model.zip"]).Length, 1, weights / 2);
        using (var loaded = Load("model.zip"))
            Assert.Equal(expected, TinyGenerator.Pixels(loaded.Transform(_data)));
        using (var on = (TextToImageTransformer)_ml.Transforms.FineTuneImageGenerator(
            "Picture", "Opening", "Image", TinyCaptions.Options(_folder["model.zip"])).Fit(_data))
        {
            Assert.Equal(model.TextToImageResult!.ValidationLoss!.Value, on.TextToImageResult!.InitialValidationLoss!.Value, 1e-4);
        }

        Directory.Move(_dalle, _dalle + "-moved");
        Assert.Contains("only adapters", Assert.ThrowsAny<Exception>(() => Load("model.zip")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_folder_and_a_zip_are_bases_that_draw_the_same()
    {
        using var model = Fit(adapterOnly: false);
        var expected = TinyGenerator.Pixels(model.Transform(_data));
        _ml.Generation.SaveModelFolder(model, _folder["folder"]);
        Assert.True(File.Exists(_folder["folder/README.md"]));
        foreach (var name in (string[])["folder", "model.zip"])
        {
            using var plain = _ml.Transforms.GenerateImages("Picture", "Opening", _folder[name], new()
            {
                TextToImage = model.Generation, Seed = 5,
            }).Fit(_data);
            Assert.Equal(expected, TinyGenerator.Pixels(plain.Transform(_data)));
        }
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void A_missing_file_is_named(string name)
    {
        Fit(adapterOnly: false).Dispose();
        using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
            zip.Entries.Single(entry => entry.Name == name).Delete();

        Assert.Contains(name, Assert.ThrowsAny<Exception>(() => Load("model.zip")).ToString(), StringComparison.Ordinal);
    }

    private TextToImageTransformer Fit(bool adapterOnly)
    {
        var model = (TextToImageTransformer)_ml.Transforms.FineTuneImageGenerator(
            "Picture", "Opening", "Image", TinyCaptions.Options(_dalle, o => o.SaveAdapterOnly = adapterOnly)).Fit(_data);
        _ml.Model.Save(model, _data.Schema, _folder["model.zip"]);
        return model;
    }

    private TextToImageTransformer Load(string zip) => new MLContext(99).Model.Load(_folder[zip], out _) switch
    {
        TextToImageTransformer transformer => transformer,
        var chain => (TextToImageTransformer)((IEnumerable<ITransformer>)chain).Last(),
    };
}
