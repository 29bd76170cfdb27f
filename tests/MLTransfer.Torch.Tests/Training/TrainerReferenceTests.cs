using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>The reference trainer's logs and final weights, reproduced step by step.</summary>
public class TrainerReferenceTests
{
    [Theory]
    [InlineData("training")]
    [InlineData("training_cosine_accumulate")]
    public void Every_step_and_the_final_weights_equal_the_reference(string name)
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        Reproduce(model, name);
        using var final = SafetensorsFile.Open(RepositoryFiles.Data($"gpt2-tiny/{name}.final.safetensors"));
        AssertEqualWeights(model.CheckpointTensors(), final);
    }

    [Fact]
    public void Every_step_and_the_final_adapter_equal_the_reference_with_LoRA()
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
        PeftAdapterFolder.Load(model, RepositoryFiles.Data("gpt2-tiny/lora_start"));
        Reproduce(model, "training_lora");
        using var final = SafetensorsFile.Open(RepositoryFiles.Data("gpt2-tiny/lora_end/adapter_model.safetensors"));
        AssertEqualWeights(PeftAdapterFolder.Tensors(model), final);
    }

    [Theory]
    [InlineData("lora_q_v", "lora_qv")]
    [InlineData("rslora", "rslora")]
    [InlineData("dora", "dora")]
    [InlineData("lora_pattern", "lora_pattern")] // ranks and alphas by layer, and a head that is trained whole
    public void Every_step_and_the_final_adapters_of_a_Llama_equal_the_reference(string training, string adapter)
    {
        var folder = RepositoryFiles.Data("families/llama-tiny");
        using var model = CausalLanguageModel.Load(folder);
        PeftAdapterFolder.Load(model, $"{folder}/{adapter}_start");
        Reproduce(model, $"training_{training}", "families/llama-tiny");
        using var final = SafetensorsFile.Open($"{folder}/{adapter}_end/adapter_model.safetensors");
        AssertEqualWeights(PeftAdapterFolder.Tensors(model), final);
    }

    [Fact]
    public void Every_step_and_the_final_weights_of_a_Llama_equal_the_reference()
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("families/llama-tiny"));
        Reproduce(model, "training", "families/llama-tiny");
        using var final = SafetensorsFile.Open(RepositoryFiles.Data("families/llama-tiny/training.final.safetensors"));
        AssertEqualWeights(model.CheckpointTensors(), final);
    }

    [Theory]
    [InlineData("gptj-tiny")]
    [InlineData("opt-tiny")]
    [InlineData("mistral-tiny")]
    [InlineData("qwen3-tiny")]
    [InlineData("gemma3-tiny")]
    [InlineData("phi3-tiny")]
    public void Every_step_of_other_decoders_equals_the_reference(string folder)
    {
        using var model = CausalLanguageModel.Load(RepositoryFiles.Data("families/" + folder));
        Reproduce(model, "training", "families/" + folder);
    }

    [Fact]
    public void Every_step_of_a_masked_BERT_equals_the_reference()
    {
        using var model = TransformerNetwork.Load(RepositoryFiles.Data("families/bert-tiny"));
        Reproduce(model, "training", "families/bert-tiny");
    }

    [Theory]
    [InlineData("roberta-tiny")]
    [InlineData("distilbert-tiny")]
    [InlineData("t5-tiny")]
    [InlineData("t5-v1_1-tiny")]
    [InlineData("bart-tiny")]
    public void Every_step_and_the_final_weights_of_masked_and_encoder_decoder_networks_equal_the_reference(string folder)
    {
        using var model = TransformerNetwork.Load(RepositoryFiles.Data("families/" + folder));
        Reproduce(model, "training", "families/" + folder);
        using var final = SafetensorsFile.Open(RepositoryFiles.Data($"families/{folder}/training.final.safetensors"));
        AssertEqualWeights(model.CheckpointTensors(), final);
    }

    [Fact]
    public void Every_step_and_the_final_adapter_of_a_T5_equal_the_reference()
    {
        var folder = RepositoryFiles.Data("families/t5-tiny");
        using var model = TransformerNetwork.Load(folder);
        PeftAdapterFolder.Load(model, $"{folder}/lora_start");
        Reproduce(model, "training_lora", "families/t5-tiny");
        using var final = SafetensorsFile.Open($"{folder}/lora_end/adapter_model.safetensors");
        AssertEqualWeights(PeftAdapterFolder.Tensors(model), final);
    }

    private static void Reproduce(TransformerNetwork model, string name, string folder = "gpt2-tiny")
    {
        var reference = ReferenceRun.Read(RepositoryFiles.Data($"{folder}/{name}.json"), model);
        var steps = new LanguageModelTrainer(model, reference.Options, reference.Rows)
            .Train(cancellationToken: TestContext.Current.CancellationToken).History;
        Assert.Equal(reference.Log.Count, steps.Count);
        foreach (var (step, expected) in steps.Zip(reference.Log))
        {
            // The reference prints losses with four decimals.
            Assert.Equal(expected.Loss, step.Loss!.Value, 1e-3 * expected.Loss);
            Assert.Equal(expected.GradientNorm, step.GradientNorm!.Value, 1e-3 * expected.GradientNorm);
            Assert.Equal(expected.LearningRate, step.LearningRate!.Value, 1e-12);
        }

        var worst = steps.Zip(reference.Log)
            .Max(s => Math.Abs(s.First.GradientNorm!.Value - s.Second.GradientNorm) / s.Second.GradientNorm);
        var worstLoss = steps.Zip(reference.Log).Max(s => Math.Abs(s.First.Loss!.Value - s.Second.Loss));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{name}: worst loss difference {worstLoss:g3}, worst relative gradient norm difference {worst:g3}");
    }

    private static void AssertEqualWeights(IEnumerable<KeyValuePair<string, Tensor>> weights, Checkpoint final)
    {
        var compared = 0;
        double worst = 0;
        foreach (var (name, weight) in weights)
        {
            using var scope = NewDisposeScope();
            var difference = (weight - final.Read(name)).abs();
            if (name.EndsWith("c_attn.bias", StringComparison.Ordinal))
            {
                // [query, key, value] biases. Softmax does not see what is added to all keys alike, so a key bias has a gradient of zero;
                // Adam divides the rounding error that is there instead by its own size, and moves the bias by noise that changes no
                // output.
                var width = weight.shape[0] / 3;
                Assert.True(difference.narrow(0, width, width).max().item<float>() < 3e-4, $"{name}: key biases moved by more than noise");
                difference = cat([difference.narrow(0, 0, width), difference.narrow(0, 2 * width, width)], 0);
            }

            var largest = difference.max().item<float>();
            Assert.True(largest < 1e-5, $"{name}: worst difference {largest}");
            worst = Math.Max(worst, largest);
            compared++;
        }

        Assert.Equal(final.Tensors.Count, compared);
        TestContext.Current.TestOutputHelper?.WriteLine($"worst weight difference {worst:g3}");
    }
}
