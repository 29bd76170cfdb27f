using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Images;

/// <summary>Training on: an image generator starts from one that was trained before, with labels where it had none.</summary>
public sealed class ImageBaseModelTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;
    private readonly string _base;

    public ImageBaseModelTests()
    {
        _data = _ml.Transforms.Conversion.MapValueToKey("Key", "Class").Append(_ml.Transforms.CopyColumns("Seed", "Red"))
            .Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(12))).Transform(_ml.Data.LoadFromEnumerable(Drawings.Make(12)));
        _base = TinyGenerator.Save(_folder);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_form_of_a_base_gives_the_weights_that_its_folder_gives()
    {
        using var first = Fit(o => { });
        var before = Bytes(first);
        _ml.Model.Save(first, _data.Schema, _folder["first.zip"]);
        var loaded = _ml.Model.Load(_folder["first.zip"], out _);
        _ml.Generation.SaveModelFolder(first, _folder["first"]);

        using var ofFolder = Fit(o => o.PretrainedModel = _folder["first"]);

        using var ofZip = Fit(o => o.PretrainedModel = _folder["first.zip"]);
        using var ofTransformer = Fit(o => (o.PretrainedModel, o.BaseModel) = (PretrainedModels.Shapes, first));
        using var ofChain = Fit(o => (o.PretrainedModel, o.BaseModel) = (PretrainedModels.Shapes, loaded));
        var expected = Bytes(ofFolder);
        Assert.NotEqual(before, expected);
        Assert.All((ImageGeneratorTransformer[])[ofZip, ofTransformer, ofChain], other => Assert.Equal(expected, Bytes(other)));
        Assert.Equal(before, Bytes(first)); // the base stays as it is
        var seeds = TinyGenerator.Seeds(_ml, 3);
        using var made = _ml.Transforms.GenerateImages("Picture", "Seed", _folder["first.zip"]).Fit(seeds);
        Assert.Equal(TinyGenerator.Pixels(first.Transform(seeds)), TinyGenerator.Pixels(made.Transform(seeds)));
        var twice = Assert.Throws<ArgumentException>(() => Fit(o => o.BaseModel = first));
        Assert.Contains("not both", twice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_with_labels_is_made_of_one_without_and_only_what_reads_labels_is_new()
    {
        using var plain = StyleGan2Model.Load(_base);
        using var labelled = plain.WithLabels(3, seed: 7);
        using var again = plain.WithLabels(3, seed: 7);
        using var other = plain.WithLabels(3, seed: 8);
        manual_seed(3);
        using var fresh = StyleGan2Model.Create(labelled.Configuration.DeepClone().AsObject());

        var (old, made) = (Tensors(plain), Tensors(labelled));
        Assert.Equal(Shapes(Tensors(fresh)), Shapes(made));
        string[] novel = [.. made.Keys.Where(name => !old.TryGetValue(name, out var was) || !was.shape.SequenceEqual(made[name].shape))];
        Assert.All(novel, name => Assert.True(name is "generator.mapping.fc0.weight" or "discriminator.b4.out.weight"
            or "discriminator.b4.out.bias" || name.StartsWith("generator.mapping.embed.", StringComparison.Ordinal)
            || name.StartsWith("discriminator.mapping.", StringComparison.Ordinal), name));
        Assert.All(made.Keys.Except(novel), name => Assert.Equal(old[name].bytes.ToArray(), made[name].bytes.ToArray()));
        Assert.Equal(Bytes(labelled), Bytes(again));
        Assert.NotEqual(Bytes(labelled), Bytes(other));

        // Of z the first layer gives what it gave; of new weights the spread is that of a fresh model.
        var (first, firstWas) = (made["generator.mapping.fc0.weight"], old["generator.mapping.fc0.weight"]);
        var latent = firstWas.shape[1];
        Assert.True((first.narrow(1, 0, latent) / Math.Sqrt(first.shape[1])).allclose(firstWas / Math.Sqrt(latent), rtol: 1e-6));
        var embedding = made["generator.mapping.embed.weight"];
        Assert.InRange(embedding.std().item<float>(), 0.7f, 1.4f);
        Assert.InRange(first.narrow(1, latent, first.shape[1] - latent).std().item<float>(), 80f, 120f); // 1 / 0.01
        Assert.Equal(0, made["discriminator.b4.out.bias"].abs().max().item<float>());
        Assert.Throws<InvalidOperationException>(() => labelled.WithLabels(3, seed: 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => plain.WithLabels(0, seed: 7));
    }

    [Fact]
    public void Training_with_labels_on_a_base_without_saves_resumes_and_exports()
    {
        AdversarialTrainingOptions Training(AdversarialTrainingOptions o, string folder) =>
            o with { TotalImages = 16, OutputDirectory = _folder[folder], CheckpointImages = 8, Resume = true };
        using var cancellation = new CancellationTokenSource();
        using var whole = Fit(o => o.LabelColumnName = "Key", o => Training(o, "whole"));
        Assert.Throws<OperationCanceledException>(() => Fit(
            o =>
            {
                (o.LabelColumnName, o.CancellationToken) = ("Key", cancellation.Token);
                o.Progress = new At(3, cancellation.Cancel);
            },
            o => Training(o, "resumed")));
        using var resumed = Fit(o => o.LabelColumnName = "Key", o => Training(o, "resumed"));

        Assert.Equal(3, whole.Model.Generator.LabelWidth);
        Assert.Equal(Bytes(whole), Bytes(resumed));
        _ml.Model.Save(whole, _data.Schema, _folder["labelled.zip"]);
        using var loaded = (ImageGeneratorTransformer)_ml.Model.Load(_folder["labelled.zip"], out _);
        Assert.Equal(TinyGenerator.Pixels(whole.Transform(_data)), TinyGenerator.Pixels(loaded.Transform(_data)));
        Assert.InRange(_ml.Generation.ExportToOnnx(whole, _folder["labelled.onnx"])[0].LargestDifference!.Value, 0, 1e-3);
        using var session = new InferenceSession(_folder["labelled.onnx"]);
        Assert.Contains(session.InputMetadata.Values, input => input.Dimensions is [_, 3]);
        using var trainedOn = Fit(o => (o.PretrainedModel, o.LabelColumnName) = (_folder["labelled.zip"], "Key")); // as a base with labels
        Assert.NotEqual(Bytes(whole), Bytes(trainedOn));
    }

    [Fact]
    public void Labels_that_a_base_without_cannot_learn_are_refused_by_name()
    {
        var frozen = Assert.Throws<ArgumentException>(
            () => Fit(o => o.LabelColumnName = "Key", o => o with { FreezeMapping = true })).Message;
        Assert.Contains(nameof(AdversarialTrainingOptions.FreezeMapping), frozen, StringComparison.Ordinal);
        var untrained = Assert.Throws<ArgumentException>(() => _ml.Transforms.GenerateImages(
            "Picture", null, _base, new GenerateImagesOptions { LabelColumnName = "Key" }).Fit(_data)).Message;
        Assert.Contains("takes no labels", untrained, StringComparison.Ordinal);
    }

    private ImageGeneratorTransformer Fit(
        Action<ImageGeneratorOptions> change, Func<AdversarialTrainingOptions, AdversarialTrainingOptions>? training = null)
    {
        var options = TinyGenerator.Options(_base, change, training);
        var input = options.LabelColumnName is null ? "Seed" : null;
        return _ml.Transforms.FineTuneImageGenerator("Picture", input, "Image", options).Fit(_data);
    }

    private static Dictionary<string, Tensor> Tensors(StyleGan2Model model) => model.CheckpointTensors().ToDictionary();

    private static IEnumerable<string> Shapes(Dictionary<string, Tensor> tensors) =>
        tensors.Select(tensor => $"{tensor.Key} {string.Join(',', tensor.Value.shape)}");

    private static byte[] Bytes(ImageGeneratorTransformer transformer) => Bytes(transformer.Model);

    private static byte[] Bytes(StyleGan2Model model) => [.. model.CheckpointTensors().SelectMany(tensor => tensor.Value.bytes.ToArray())];

    private sealed class At(int step, Action act) : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress value)
        {
            if (value.Step == step)
                act();
        }
    }
}
