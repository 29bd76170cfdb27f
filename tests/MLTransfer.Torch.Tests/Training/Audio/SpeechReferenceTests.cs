using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>Three steps of both networks, as the reference made and logged them.</summary>
public sealed class SpeechReferenceTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("vits-training-tiny")]
    [InlineData("vits-training-stochastic-tiny")]
    public void Every_loss_norm_alignment_gradient_and_weight_is_the_references(string name)
    {
        using var scope = NewDisposeScope();
        var folder = RepositoryFiles.Data($"speech/{name}");
        var log = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "training.json")))!;
        var arguments = log["arguments"]!;
        using var data = SafetensorsFile.Open(Path.Combine(folder, "training.safetensors"));
        using var model = VitsModel.Load(folder);
        var options = new SpeechTrainingOptions
        {
            BatchSize = 2,
            LearningRate = Number("learning_rate"),
            LearningRateDecay = Number("lr_decay"),
            WeightDecay = Number("weight_decay"),
            NormalizeDecoder = arguments["decoder_weight_norm"]!.GetValue<bool>(),
            SegmentSize = (int)Number("segment_size"),
            MelBands = (int)Number("n_mels"),
            WindowSize = (int)Number("win_length"),
        };
        using var spectra = new SpeechSpectra(model, options);
        using var trained = new TrainedSpeech(model, options);
        trained.Network.train();
        using var updates = new SpeechUpdates(trained, model.Discriminator!, spectra, options);
        var batch = SpeechBatch.Create(Rows(data, spectra), spectra, 1, CPU);
        Near("spectrograms", data.Read("spectrograms"), batch.Spectrograms);

        foreach (var (step, expected) in log["log"]!.AsArray().Index())
        {
            using var stepScope = NewDisposeScope();
            string Key(string key) => $"step{step + 1}.{key}";
            var noise = new SpeechNoise(
                data.Read(Key("posterior_noise")),
                data.Tensors.ContainsKey(Key("duration_noise")) ? data.Read(Key("duration_noise")) : zeros(2, 2, 18),
                [.. data.Read(Key("segment_uniform")).data<float>().ToArray().Select(share => (double)share)]);
            var pass = SpeechPass.Run(trained.Network, batch, noise, spectra, options.SegmentSize / spectra.Hop);
            Assert.Equal(data.Read(Key("alignment")).data<long>().ToArray(), pass.Alignment.data<long>().ToArray());
            Assert.Equal(data.Read(Key("durations")).data<long>().ToArray(), pass.Durations.to(int64).data<long>().ToArray());
            Assert.Equal(data.Read(Key("segment_starts")).data<long>().ToArray(), pass.SegmentStarts.Select(start => (long)start));
            if (step == 0)
                CompareTensors(data, pass, spectra, model.Discriminator!);

            var rate = options.LearningRate * Math.Pow(options.LearningRateDecay, step);
            var gradients = step == 0 ? new GradientReader(trained.Parameters, model.Discriminator!) : null;
            var losses = updates.Run(
                new TrainingStep(step, [0, 1], rate, options, gradients, CancellationToken.None),
                batch.TokenCounts.Sum(), batch.FrameCounts.Sum(), _ => (batch, noise));
            gradients?.Compare(Path.Combine(folder, "training.gradients.safetensors"));

            Close("loss_discriminator", losses.Discriminator.Loss);
            Close("loss_adversarial", losses.Adversarial);
            Close("loss_feature_matching", losses.Features);
            Close("loss_mel", losses.Mel);
            Close("loss_duration", losses.Duration);
            Close("loss_kl", losses.Divergence);
            Close("loss_generator", losses.Generator.Loss);
            Close("grad_norm_generator", losses.Generator.GradientNorm);
            Close("grad_norm_discriminator", losses.Discriminator.GradientNorm);
            Close("learning_rate", losses.Generator.LearningRate);
            foreach (var part in Enumerable.Range(0, losses.Real.Length))
            {
                CloseTo($"loss_discriminator_real {part}", expected!["loss_discriminator_real"]![part]!, losses.Real[part]);
                CloseTo($"loss_discriminator_fake {part}", expected["loss_discriminator_fake"]![part]!, losses.Made[part]);
            }

            void Close(string loss, double actual) => CloseTo(loss, expected![loss]!, actual);

            void CloseTo(string loss, JsonNode node, double actual)
            {
                var wanted = node.GetValue<double>();
                Assert.True(
                    Math.Abs(wanted - actual) <= Tolerance * Math.Max(1, Math.Abs(wanted)),
                        $"step {step + 1}: {loss} is {actual}, not {wanted}");
            }
        }

        trained.Publish();
        string[] ignored = [.. log["rounding_noise"]!.AsArray().Select(node => node!.GetValue<string>())];
        Weights("training.final.safetensors", model.CheckpointTensors().Where(tensor => !ignored.Contains(tensor.Key)));
        Weights("discriminator.final.safetensors", model.Discriminator!.CheckpointTensors());
        var final = model.Forward(new VitsInput
        {
            InputIds = data.Read("input_ids").narrow(0, 0, 1), NoiseScale = 0, DurationNoiseScale = 0,
            AttentionMask = data.Read("attention_mask").narrow(0, 0, 1),
            SpeakerIds = model.SpeakerCount > 1 ? tensor(new[] { 1L }) : null,
        });
        Near("final.waveform", data.Read("final.waveform"), final.Waveforms);

        double Number(string key) => arguments[key]!.GetValue<double>();

        void Weights(string file, IEnumerable<KeyValuePair<string, Tensor>> tensors)
        {
            using var expected = SafetensorsFile.Open(Path.Combine(folder, file));
            foreach (var (key, tensor) in tensors)
            {
                var stored = expected.Tensors.ContainsKey(key) ? key : VitsNames.ToOlder(key);
                Near(key, expected.Read(stored), tensor);
            }
        }
    }

    private static void CompareTensors(SafetensorsFile data, SpeechPass pass, SpeechSpectra spectra, SpeechDiscriminator discriminator)
    {
        using var gradients = no_grad();
        Step("text_hidden_states", pass.Hidden);
        Step("prior_means", pass.PriorMeans);
        Step("prior_log_variances", pass.PriorLogDeviations);
        Step("posterior_means", pass.PosteriorMeans);
        Step("posterior_log_stddev", pass.PosteriorLogDeviations);
        Step("posterior_latents", pass.Latents);
        Step("prior_latents", pass.PriorLatents);
        Step("waveform_segment", pass.Made.squeeze(1));
        Step("real_segment", pass.Real.squeeze(1));
        Step("mel_target", pass.MelTarget);
        Step("mel_generated", spectra.LogMel(spectra.Magnitudes(pass.Made.squeeze(1))));
        if (data.Tensors.ContainsKey("step1.duration_nll"))
            Step("duration_nll", pass.DurationLosses);
        var likelihood = data.Read("step1.log_likelihood");
        Assert.True((likelihood - pass.LogLikelihoods).abs().max().item<float>() <= Tolerance * likelihood.abs().max().item<float>());
        foreach (var (part, features) in discriminator.Forward(pass.Real).Index())
            Step($"discriminators.{part}.real", features[^1].flatten(1));
        foreach (var (part, features) in discriminator.Forward(pass.Made).Index())
            Step($"discriminators.{part}.fake", features[^1].flatten(1));

        void Step(string key, Tensor actual) => Near(key, data.Read($"step1.{key}"), actual);
    }

    private static List<SpeechRow> Rows(SafetensorsFile data, SpeechSpectra spectra)
    {
        var (ids, mask, waveforms) = (data.Read("input_ids"), data.Read("attention_mask"), data.Read("waveforms"));
        var lengths = data.Read("waveform_lengths").data<long>().ToArray();
        var speakers = data.Tensors.ContainsKey("speaker_ids") ? data.Read("speaker_ids").data<long>().ToArray() : null;
        return
        [
            .. lengths.Select((length, row) => new SpeechRow(
                [.. ids[row].narrow(0, 0, mask[row].sum().item<long>()).data<long>().ToArray().Select(id => (int)id)],
                waveforms[row].narrow(0, 0, length).data<float>().ToArray(), spectra.Frames((int)length), (int?)speakers?[row])),
        ];
    }

    private static void Near(string name, Tensor expected, Tensor actual)
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{name}: {string.Join(',', actual.shape)}");
        var (difference, size) = ((expected - actual).abs().max().item<float>(), expected.abs().max().item<float>());
        Assert.True(difference <= Tolerance * Math.Max(1, size), $"{name} differs by {difference} of {size}");
    }

    /// <summary>Looks at the gradients of each player between the backward pass and its update.</summary>
    private sealed class GradientReader(
        List<(string Name, TorchSharp.Modules.Parameter Parameter)> network, SpeechDiscriminator discriminator)
        : IUpdateExchange
    {
        private readonly Dictionary<string, Tensor> _gradients = [];

        public int[] Share(int[] rowsOfStep) => rowsOfStep;

        public double Complete(Player player, IReadOnlyList<double> normalizers, double loss)
        {
            var all = normalizers.Count == 1
                ? discriminator.named_parameters().Select(p => (p.name, p.parameter)) : network.Select(p => (p.Name, p.Parameter));
            foreach (var (name, parameter) in all)
            {
                if (parameter.grad is { } gradient)
                    _gradients[name] = gradient.clone().DetachFromDisposeScope();
            }

            return loss;
        }

        public void Compare(string path)
        {
            using var expected = SafetensorsFile.Open(path);
            Assert.True(expected.Tensors.Count > 100);
            foreach (var name in expected.Tensors.Keys)
            {
                var own = name.StartsWith("generator.", StringComparison.Ordinal) ? name["generator.".Length..] : name;
                Assert.True(_gradients.ContainsKey(own), $"{name} has no gradient");
                Near($"the gradient of {name}", expected.Read(name), _gradients[own]);
            }
        }
    }
}
