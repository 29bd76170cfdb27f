using MLTransfer.Onnx;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Generation.Images;
using Microsoft.ML;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>Networks that write codes of pictures as ONNX files, which ONNX Runtime runs without libtorch.</summary>
public sealed class OnnxImageGeneratorTests : IDisposable
{
    private static readonly string s_mini = RepositoryFiles.Data("images/min-dalle-tiny");

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public OnnxImageGeneratorTests() => _data = _ml.Data.LoadFromEnumerable(TinyCaptions.Rows(5));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pictures_are_the_engine_s_for_the_same_seeds_also_in_another_process_that_does_not_load_libtorch(bool isMini)
    {
        var drawing = new ImageGenerationOptions { GuidanceScale = 2.5, TopK = 12, Temperature = 0.9 };
        using var model = Generator(
            isMini ? s_mini : TinyCaptions.Save(_folder["dalle"]), "Opening", new() { TextToImage = drawing, Seed = 5 });
        var files = _ml.Generation.ExportToOnnx(model, _folder["export"], cancellationToken: Token);
        Assert.Contains(files, file => file.Name == "decoder_model_merged.onnx" && file.LargestDifference < 1e-3);
        using var onnx = _ml.Generation.LoadOnnxImages(
            _folder["export"], "Picture", "Opening", new() { TextToImage = drawing, Seed = 5, GenerationBatchSize = 2 });

        var expected = TinyGenerator.Pixels(model.Transform(_data));
        AssertClose(expected, TinyGenerator.Pixels(onnx.Transform(_data)));
        Assert.Equal(5, expected.Select(Convert.ToHexString).Distinct().Count()); // rows of one caption differ
        Assert.Equal(
            ((ImageDataViewType)model.GetOutputSchema(_data.Schema)["Picture"].Type).Width,
            ((ImageDataViewType)onnx.GetOutputSchema(_data.Schema)["Picture"].Type).Width);

        _ml.Model.Save(onnx, _data.Schema, _folder["model.zip"]);
        Directory.Delete(_folder["export"], recursive: true);
        using (var loaded = (OnnxImageGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _))
            Assert.Equal(TinyGenerator.Pixels(onnx.Transform(_data)), TinyGenerator.Pixels(loaded.Transform(_data)));
        var (found, modules) = await LoadingProcess.RunForBytesAsync(
            _folder["model.zip"], "Picture", [.. TinyCaptions.Rows(5).Select(row => row.Opening!)]);
        AssertClose(expected, found);
        Assert.Contains(modules, module => module.Contains("onnxruntime", StringComparison.Ordinal));
        Assert.DoesNotContain(modules, LoadingProcess.IsLibtorch);
    }

    [Fact]
    public void Images_are_completed_by_captions_and_seeds_of_columns()
    {
        var dalle = TinyCaptions.Save(_folder["dalle"]);
        var columns = new GenerateImagesOptions
        {
            CaptionColumnName = "Caption", SeedColumnName = "Number", TextToImage = new() { RedrawnShare = 0.4 },
        };
        using var model = Generator(dalle, "Image", columns);
        _ml.Generation.ExportToOnnx(model, _folder["export"], new() { Check = false }, Token);
        using var onnx = _ml.Generation.LoadOnnxImages(_folder["export"], "Picture", "Image", new()
        {
            CaptionColumnName = "Caption", SeedColumnName = "Number", TextToImage = columns.TextToImage,
        });
        AssertClose(TinyGenerator.Pixels(model.Transform(_data)), TinyGenerator.Pixels(onnx.Transform(_data)));
    }

    [Fact]
    public void What_is_not_usable_is_refused_by_name()
    {
        using var model = Generator(s_mini, "Caption", new());
        AssertRefused("TransformersJsFiles", () => _ml.Generation.ExportToOnnx(
            model, _folder["export"], new() { TransformersJsFiles = true }, Token));
        _ml.Generation.ExportToOnnx(model, _folder["export"], new() { Precision = OnnxPrecision.Int8 }, Token);
        AssertRefused("TextToImage.Seed", () => Load(new() { TextToImage = new() { Seed = 1 } }));
        AssertRefused("GenerationBatchSize", () => Load(new() { GenerationBatchSize = 5000 }));
        AssertRefused("ThreadCount", () => Load(new() { ThreadCount = -1 }));
        AssertRefused("inputColumnName", () => _ml.Generation.LoadOnnxImages(_folder["export"], "Picture", null));
        Assert.Contains("absent", Assert.Throws<DirectoryNotFoundException>(
            () => _ml.Generation.LoadOnnxImages(_folder["absent"])).Message, StringComparison.Ordinal);

        // The conversion of a DALL-E mini has no encoder of pictures.
        using var onnx = _ml.Generation.LoadOnnxImages(_folder["export"], "Picture", "Image");
        var ofItsSize = _ml.Transforms.ResizeImages("Image", 8, 8).Fit(_data).Transform(_data);
        AssertRefused("image_encode.onnx", () => onnx.Transform(ofItsSize));
        AssertRefused("8 rows and 8 columns", () => onnx.Transform(_data));

        void AssertRefused(string named, Func<object> call) =>
            Assert.Contains(named, Assert.ThrowsAny<Exception>(call).Message, StringComparison.Ordinal);

        OnnxImageGeneratorTransformer Load(OnnxImageGeneratorOptions options) =>
            _ml.Generation.LoadOnnxImages(_folder["export"], options: options);
    }

    private TextToImageTransformer Generator(string folder, string input, GenerateImagesOptions options) =>
        (TextToImageTransformer)_ml.Transforms.GenerateImages("Picture", input, folder, options).Fit(_data);

    /// <summary>Pixels are rounded to bytes: one more or less.</summary>
    private static void AssertClose(List<byte[]> expected, List<byte[]> found)
    {
        Assert.Equal(expected.Count, found.Count);
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
    }
}
