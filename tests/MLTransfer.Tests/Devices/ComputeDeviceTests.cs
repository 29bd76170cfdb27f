using MLTransfer.Tests.Audio;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Text.Infilling;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Devices;

/// <summary>Networks are where <c>MLContext.GpuDeviceId</c> says.</summary>
public sealed class ComputeDeviceTests : IDisposable
{
    private const string NoDevice =
        "There is no graphics processor here that CUDA knows, or libtorch's package for it is not referenced.";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_the_processor_that_is_asked_for_training_is_refused_before_the_base_is_loaded()
    {
        var ml = new MLContext(seed: 1) { GpuDeviceId = 77, FallbackToCpu = false };
        var stories = ml.Data.LoadFromEnumerable(TestData.Stories(4));
        var error = Assert.Throws<InvalidOperationException>(() => FineTuner(ml).Fit(stories));
        Assert.Contains("MLContext.GpuDeviceId is 77", error.Message, StringComparison.Ordinal);
        Assert.Contains("FallbackToCpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_it_an_audio_generator_is_refused_too_and_falls_back_where_that_is_allowed()
    {
        var tunes = new MLContext().Data.LoadFromEnumerable(TinyAudio.Tunes(3));
        var options = TinyAudio.MusicOptions(training: training => training with { MaximumSteps = 1 });
        var error = Assert.Throws<InvalidOperationException>(() => new MLContext { GpuDeviceId = 77, FallbackToCpu = false }
            .Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", options).Fit(tunes));
        Assert.Contains("MLContext.GpuDeviceId is 77", error.Message, StringComparison.Ordinal);
        using var model = new MLContext { GpuDeviceId = 77, FallbackToCpu = true }
            .Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", options).Fit(tunes);
        Assert.Equal(TorchSharp.DeviceType.CPU, model.Model.Network.Device.type);
    }

    [Fact]
    public void Where_the_context_allows_it_the_processor_computes_and_a_warning_says_so()
    {
        var ml = new MLContext(seed: 1) { GpuDeviceId = 77, FallbackToCpu = true };
        var warnings = new List<string>();
        ml.Log += (_, line) => warnings.Add(line.Message);
        var stories = ml.Data.LoadFromEnumerable(TestData.Stories(4));
        using var expected = FineTuner(new MLContext(seed: 1)).Fit(stories);
        using var model = FineTuner(ml).Fit(stories);
        Assert.Equal(TransformerWeights.Bytes(expected), TransformerWeights.Bytes(model));
        Assert.Contains(warnings, line => line.Contains("GpuDeviceId is 77", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, DecodingPrecision.Float32)]
    [InlineData(true, DecodingPrecision.BFloat16)]
    [InlineData(true, DecodingPrecision.Int8)]
    [InlineData(true, DecodingPrecision.Int4)]
    public void A_text_generator_is_tuned_saved_and_loaded_on_the_graphics_processor(bool lora, DecodingPrecision precision)
    {
        var ml = OnDevice();
        var stories = ml.Data.LoadFromEnumerable(TestData.Stories(6));
        using var model = FineTuner(ml, options =>
        {
            options.Lora = lora ? new LoraOptions { Rank = 2 } : null;
            options.SaveAdapterOnly = lora;
            options.DecodingPrecision = precision;
        }).Fit(stories);
        Assert.Equal(TorchSharp.DeviceType.CUDA, model.Model.Network.Device.type);
        var texts = model.Transform(stories).GetColumn<string>("Continuation").ToArray();
        var loss = ml.Generation.Evaluate(model, stories).Loss;

        ml.Model.Save(model, stories.Schema, _folder["model.zip"]);
        using var there = (TextGeneratorTransformer)ml.Model.Load(_folder["model.zip"], out _);
        Assert.Equal(TorchSharp.DeviceType.CUDA, there.Model.Network.Device.type);
        Assert.Equal(texts, there.Transform(stories).GetColumn<string>("Continuation"));

        var here = new MLContext(seed: 1);
        using var loaded = (TextGeneratorTransformer)here.Model.Load(_folder["model.zip"], out _);
        Assert.Equal(TorchSharp.DeviceType.CPU, loaded.Model.Network.Device.type);
        Assert.Equal(loss, here.Generation.Evaluate(loaded, stories).Loss, 1e-3 * loss);
        if (precision == DecodingPrecision.Float32)
            Assert.Equal(texts, loaded.Transform(stories).GetColumn<string>("Continuation"));

        ml.Generation.ExportToOnnx(model, _folder["onnx"]);
        ml.Generation.SaveModelFolder(model, _folder["saved"]);
        using var again = FineTuner(ml, options => options.BaseModel = model).Fit(stories);
        Assert.Equal(TorchSharp.DeviceType.CUDA, again.Model.Network.Device.type);
    }

    [Fact]
    public void A_text_infiller_is_tuned_on_the_graphics_processor()
    {
        var ml = OnDevice();
        var data = TinyTexts.Data(ml);
        using var model = ml.Transforms.Text.FineTuneTextInfiller(
            "Filled", "Opening", "Text", TinyTexts.Options("bert-tiny")).Fit(data);
        var filled = model.Transform(data).GetColumn<string>("Filled").ToArray();
        ml.Model.Save(model, data.Schema, _folder["model.zip"]);
        using var loaded = (TextInfillerTransformer)new MLContext().Model.Load(_folder["model.zip"], out _);
        Assert.Equal(filled, loaded.Transform(data).GetColumn<string>("Filled"));
    }

    [Fact]
    public void An_image_generator_is_tuned_on_the_graphics_processor()
    {
        var ml = OnDevice();
        var tiny = TinyGenerator.Save(_folder);
        var images = ml.Data.LoadFromEnumerable(Drawings.Make(12));
        using var model = ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", TinyGenerator.Options(tiny)).Fit(images);
        Assert.Equal(TorchSharp.DeviceType.CUDA, model.Model.Generator.Device.type);
        var seeds = TinyGenerator.Seeds(ml, 5);
        var pictures = TinyGenerator.Pixels(model.Transform(seeds));
        ml.Model.Save(model, images.Schema, _folder["model.zip"]);
        using var loaded = (ImageGeneratorTransformer)new MLContext().Model.Load(_folder["model.zip"], out _);
        Assert.All(pictures.Zip(TinyGenerator.Pixels(loaded.Transform(seeds))), pair =>
            Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 2));
    }

    private static MLContext OnDevice()
    {
        Assert.SkipUnless(cuda.is_available(), NoDevice);
        return new MLContext(seed: 1) { GpuDeviceId = 0 };
    }

    private static TextGeneratorEstimator FineTuner(MLContext ml, Action<TextGeneratorOptions>? change = null)
    {
        var options = new TextGeneratorOptions
        {
            PretrainedModel = TestData.TinyModel, Training = new LanguageTrainingOptions { MaximumSteps = 3, BatchSize = 2 },
        };
        change?.Invoke(options);
        if (options.BaseModel is not null)
            options.PretrainedModel = new TextGeneratorOptions().PretrainedModel;
        return ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", options);
    }
}
