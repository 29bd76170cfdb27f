using System.Globalization;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.DalleMini;

/// <summary>What the reference stack computes, draws and learns with the same weights.</summary>
public sealed class DalleMiniReferenceTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly DalleMiniModel _model = TinyDalleMini.Load();

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Encoder_states_logits_and_pictures_equal_the_reference()
    {
        using var gradients = no_grad();
        using var reference = TinyDalleMini.Tensors("forward.safetensors");
        var (text, empty) = (reference.Read("text_tokens"), reference.Read("empty_text_tokens"));
        AssertState("encoder_state", text);
        AssertState("empty_encoder_state", empty);
        var codes = cat([reference.Read("decoder_input_ids").narrow(1, 1, 15), reference.Read("codes").narrow(1, 15, 1)], 1);
        Assert.True(codes.equal(reference.Read("codes")).all().item<bool>());
        var (logits, without) = (_model.Forward(text, codes), _model.Forward(empty.expand(2, -1), codes));
        Assert.InRange(TinyDalleMini.Distance(reference.Read("logits"), logits), 0, 3e-5);
        Assert.InRange(TinyDalleMini.Distance(reference.Read("empty_logits"), without), 0, 3e-5);
        Assert.InRange(
            TinyDalleMini.Distance(reference.Read("guided_logits_factor4"), without * -3 + logits * 4), 0, 3e-4);
        var pictures = _model.Codec.Decode(codes).permute(0, 2, 3, 1) * 255;
        Assert.InRange(TinyDalleMini.Distance(reference.Read("images"), pictures), 0, 1.8e-3);
        Assert.Equal([.. empty.data<long>().Select(id => (int)id)], _model.PadCaption(null));

        void AssertState(string name, Tensor ids)
        {
            using var state = _model.Transformer.Encode(new ModelInput(ids) { AttentionMask = ids.ne(1) });
            Assert.InRange(TinyDalleMini.Distance(reference.Read(name), state.HiddenStates), 0, 3e-5);
        }
    }

    [Fact]
    public void Codes_that_are_written_with_and_without_guidance_equal_the_reference()
    {
        var generator = new TextToImageGenerator(_model, TextTokenizer.Load(TinyDalleMini.Folder));
        foreach (var cases in TinyDalleMini.Json("generation.json")["cases"]!.AsArray()
            .GroupBy(one => one!["options"]!["supercondition_factor"]!.GetValue<double>()))
        {
            var options = new ImageGenerationOptions { Sample = false, GuidanceScale = cases.Key };
            var pictures =
                generator.Generate(
                    [.. cases.Select(one => ImagePrompt.FromText(one!["text"]!.GetValue<string>()))], options, cancellationToken: Stop);
            foreach (var (one, picture) in cases.Zip(pictures))
                Assert.Equal(TinyDalleMini.Numbers(one!["output_codes"]), picture.Codes);
        }
    }

    [Fact]
    public void Probabilities_of_the_next_code_equal_the_reference()
    {
        var generation = TinyDalleMini.Json("generation.json");
        var caption = TextTokenizer.Load(TinyDalleMini.Folder).Encode(generation["text"]!.GetValue<string>());
        using var writer = _model.CreateWriter([_model.PadCaption(caption), _model.PadCaption(null)]);
        foreach (var code in TinyDalleMini.Numbers(generation["prompt_codes"]))
            writer.Read([code, code]);
        foreach (var distribution in generation["distributions"]!.AsArray())
        {
            var options = distribution!["options"]!;
            var logits = new float[_model.CodebookSize];
            Guidance.Combine(writer.Logits(0), writer.Logits(1), options["supercondition_factor"]!.GetValue<float>(), logits);
            var least = logits.OrderDescending().ElementAt(options["top_k"]!.GetValue<int>() - 1);
            double[] weights = [.. logits.Select(
                z => z < least ? 0 : Math.Exp((z - logits.Max()) / options["temperature"]!.GetValue<double>()))];
            var expected = distribution["probabilities"]!.AsObject();
            for (var code = 0; code < weights.Length; code++)
            {
                var probability = expected[code.ToString(CultureInfo.InvariantCulture)]?.GetValue<double>() ?? 0;
                Assert.Equal(probability, weights[code] / weights.Sum(), 3e-4 * probability + 1e-12);
            }
        }
    }

    [Fact]
    public void Training_follows_the_reference_step_by_step_to_its_weights()
    {
        var json = TinyDalleMini.Json("training.json");
        TextToImageRow[] rows = [.. json["text_tokens"]!.AsArray().Zip(json["image_codes"]!.AsArray(), (text, codes) =>
            new TextToImageRow(TinyDalleMini.Numbers(text), TinyDalleMini.Numbers(codes)))];
        var arguments = json["arguments"]!;
        var options = new TextToImageTrainingOptions
        {
            Precision = Precision.Float32,
            NumberOfEpochs = 1,
            BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
            LearningRate = arguments["learning_rate"]!.GetValue<double>(),
            WeightDecay = arguments["weight_decay"]!.GetValue<double>(),
            MaximumGradientNorm = arguments["max_grad_norm"]!.GetValue<double>(),
            LearningRateSchedule = LearningRateSchedule.Linear,
            ConditionDropout = 0,
            Shuffle = false,
        };
        var history = new TextToImageTrainer(_model, options, rows, [], tokenizer: null).Train(cancellationToken: Stop).History
            .Where(report => report.Loss is not null).ToList();
        var log = json["log"]!.AsArray();
        Assert.Equal(log.Count, history.Count);
        foreach (var (expected, report) in log.Zip(history))
        {
            AssertNear(expected!["loss"]!.GetValue<double>(), report.Loss!.Value, 9e-5);
            AssertNear(expected["grad_norm"]!.GetValue<double>(), report.GradientNorm!.Value, 9e-5);
            AssertNear(expected["learning_rate"]!.GetValue<double>(), report.LearningRate!.Value, 1e-9);
        }

        using var final = TinyDalleMini.Tensors("training.final.safetensors");
        var trained = _model.CheckpointTensors().ToDictionary();
        var first = FirstGradients(rows[..options.BatchSize]);
        Assert.Equal(final.Tensors.Keys.Select(name => "model." + name).Order(), first.Keys.Order());
        var (elements, undecided) = (0L, 0L);
        foreach (var name in final.Tensors.Keys.Select(name => "model." + name))
        {
            // Adam's first step is one learning rate long whatever the gradient's length: where that is less than the rounding of float32,
            // which is 5e-7 here, rounding decides on the direction. What has no gradient at all does not move.
            var length = first[name].abs();
            var isUndecided = length.gt(0).logical_and(length.lt(1e-6));
            var differences = (final.Read(name["model.".Length..]) - trained[name]).abs();
            Assert.InRange(differences.masked_fill(isUndecided, 0).max().item<float>(), 0, 1.5e-4);
            Assert.InRange(differences.max().item<float>(), 0, 2 * options.LearningRate);
            (elements, undecided) = (elements + differences.numel(), undecided + isUndecided.sum().item<long>());
        }

        Assert.InRange(undecided, 1, elements / 1000);

        static void AssertNear(double expected, double actual, double relative) =>
            Assert.Equal(expected, actual, relative * Math.Abs(expected));
    }
    /// <summary>The gradients of the untrained weights in double precision, by name.</summary>
    private static Dictionary<string, Tensor> FirstGradients(IReadOnlyList<TextToImageRow> rows)
    {
        using var model = DalleMiniModel.Load(TinyDalleMini.Folder, ScalarType.Float64);
        var text = stack(rows.Select(row => tensor(Array.ConvertAll(row.Text!, id => (long)id))));
        var codes = stack(rows.Select(row => tensor(Array.ConvertAll(row.Codes, id => (long)id))));
        var logits = model.Forward(text, codes);
        nn.functional.cross_entropy(logits.flatten(0, 1), codes.flatten()).backward();
        return model.named_parameters().Where(p => p.parameter.requires_grad).ToDictionary(p => p.name, p => p.parameter.grad!);
    }
}
