using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Checkpoints;
using MLTransfer.Torch.Tests.Contract;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Adaptation;

/// <summary>Rows of some tokens are trained beside adapters, and nothing else of the table.</summary>
[Collection(ProcessWideState.Name)]
public sealed class TrainedTokensTests : IDisposable
{
    private static readonly int[] s_tokens = [7, 5, 80];

    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Their_gradient_is_that_of_the_rows_where_the_whole_table_is_trained(string modelType)
    {
        using var scope = NewDisposeScope();
        using var whole = FamilyFolders.LoadFamily(modelType);
        using var some = FamilyFolders.LoadFamily(modelType);
        if (!FamilyRows.CanBeMadeFor(whole))
            return;
        if (whole.Description.Stacks.Select(stack => stack.Input.Tables[0]).Distinct().Count() > 1)
        {
            Assert.Throws<ArgumentException>(() => Attach(some));
            return;
        }

        Attach(some);
        var rows = FamilyRows.Of(whole).Select(row => row with { InputIds = [.. row.InputIds[..^1], 5] }).ToList(); // some of them are read
        var batch = TrainingBatch.Create(rows, CPU);
        LanguageModelLoss.Backward(whole, batch, 0.1);
        LanguageModelLoss.Backward(some, batch, 0.1);

        Assert.NotEmpty(some.TrainedTokenRows());
        foreach (var (name, own, table) in some.TrainedTokenRows())
        {
            Assert.Null(table.grad);
            var expected = whole.get_parameter($"{name}.weight")!.grad!.index_select(0, own.Ids);
            var largest = expected.abs().max().item<float>();
            Assert.True(largest > 1e-6);
            Assert.True((own.Values.grad! - expected).abs().max().item<float>() <= 1e-5 * largest, name);
        }
    }

    [Theory]
    [InlineData("gpt2-tiny", Precision.Float32, false)]
    [InlineData("gpt2-tiny", Precision.BFloat16, true)]
    [InlineData("llama-tiny", Precision.Float32, true)]
    [InlineData("llama-tiny", Precision.BFloat16, false)]
    [InlineData("t5-tiny", Precision.BFloat16, false)]
    public void All_other_rows_stay_as_they_are_to_the_bit(string folder, Precision precision, bool isNarrow)
    {
        using var scope = NewDisposeScope();
        using (var network = FamilyFolders.Load(folder))
            network.Save(_folder.Path, isNarrow ? ScalarType.BFloat16 : null);
        using var before = TransformerNetwork.Load(_folder.Path);
        using var network2 = TransformerNetwork.Load(_folder.Path, keepsMatrices: true);
        Attach(network2);
        var trained = Train(network2, precision, null);

        Assert.Equal(
            network2.AdapterParameters().Sum(p => 2 * p.parameter.numel()), trained.OptimizerNumbers); // and none for other rows
        LowRankAdaptation.Merge(network2);
        Assert.Empty(network2.TrainedTokenRows());
        foreach (var table in Tables(before))
        {
            var (old, now) = (before.get_parameter(table)!, network2.get_parameter(table)!.to(ScalarType.Float32));
            var changed = old.eq(now).all(1).logical_not().nonzero().view(-1).data<long>().ToArray();
            Assert.Equal(s_tokens.Order().Select(id => (long)id), changed);
        }
    }

    [Theory]
    [InlineData("gpt2-tiny", "wte")]
    [InlineData("llama-tiny", "embed_tokens")]
    public void They_come_back_from_a_folder_in_the_layout_of_peft(string folder, string module)
    {
        using var scope = NewDisposeScope();
        using var model = FamilyFolders.Load(folder);
        Attach(model);
        Train(model, Precision.Float32, null);
        PeftAdapterFolder.Save(model, _folder.Path);

        var indices = JsonNode.Parse(File.ReadAllText(_folder["adapter_config.json"]))!["trainable_token_indices"]!;
        var isTied = model.Output.Heads[0].Layer is null;
        Assert.True(JsonNode.DeepEquals(
            isTied ? new JsonArray(7, 5, 80)
                : new JsonObject { [module] = new JsonArray(7, 5, 80), ["lm_head"] = new JsonArray(7, 5, 80) }, indices), $"{indices}");
        using (var stored = SafetensorsFile.Open(_folder["adapter_model.safetensors"]))
        {
            var name = Assert.Single(stored.Tensors.Keys, key => key.EndsWith($"{module}.token_adapter.trainable_tokens_delta",
                StringComparison.Ordinal));
            Assert.StartsWith("base_model.model.", name, StringComparison.Ordinal);
            Assert.Equal([3, model.TokenEmbedding.shape[1]], stored.Tensors[name].Shape);
            using var rows = stored.Read(name); // the rows themselves, not what was added to them
            Assert.True(rows.equal(model.TokenEmbedding.index_select(0, tensor(new long[] { 7, 5, 80 }))).all().item<bool>());
        }

        using var loaded = FamilyFolders.Load(folder);
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Equivalent(model.Lora!.TrainedTokens, loaded.Lora!.TrainedTokens);
        Assert.All(model.CheckpointTensors().Concat(PeftAdapterFolder.Tensors(model)).Zip(
            loaded.CheckpointTensors().Concat(PeftAdapterFolder.Tensors(loaded))), pair =>
        {
            Assert.Equal(pair.First.Key, pair.Second.Key);
            Assert.True(TensorBytes.Of(pair.First.Value).AsSpan().SequenceEqual(TensorBytes.Of(pair.Second.Value)), pair.First.Key);
        });
    }

    [Fact]
    public void A_list_of_tokens_is_of_the_embedding_alone_where_the_head_is_not_tied()
    {
        using var model = FamilyFolders.Load("llama-tiny");
        Assert.NotNull(model.Output.Heads[0].Layer);
        LowRankAdaptation.Attach(
            model, new LoraOptions { Rank = 2, TrainedTokens = s_tokens, TrainsTokensOfHead = false }, seed: 1);
        PeftAdapterFolder.Save(model, _folder.Path);
        using var loaded = FamilyFolders.Load("llama-tiny");
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Equal(["model.embed_tokens"], loaded.TrainedTokenRows().Select(rows => rows.Module));
        Assert.False(loaded.Lora!.TrainsTokensOfHead);
    }

    [Fact]
    public void The_whole_table_that_peft_stores_beside_grown_rows_is_no_tensor_too_many()
    {
        using var scope = NewDisposeScope();
        using var model = TinyRun.LoadModel();
        Attach(model);
        var tensors = PeftAdapterFolder.Tensors(model)
            .Append(KeyValuePair.Create("base_model.model.transformer.wte.token_adapter.base_layer.weight", (Tensor)model.TokenEmbedding));
        PeftAdapterFolder.Save(model, _folder.Path);
        SafetensorsWriter.Write(_folder["adapter_model.safetensors"], tensors);
        using var loaded = TinyRun.LoadModel();
        PeftAdapterFolder.Load(loaded, _folder.Path);
        Assert.Single(loaded.TrainedTokenRows());
    }

    [Theory]
    [InlineData("""{"wte": [1], "lm_head": [2]}""")]
    [InlineData("""{"wte": [1], "other": [1]}""")]
    public void Tokens_that_differ_by_module_are_refused_by_name(string indices)
    {
        using var model = TinyRun.LoadModel();
        Attach(model);
        PeftAdapterFolder.Save(model, _folder.Path);
        var configuration = JsonNode.Parse(File.ReadAllText(_folder["adapter_config.json"]))!;
        configuration["trainable_token_indices"] = JsonNode.Parse(indices);
        File.WriteAllText(_folder["adapter_config.json"], configuration.ToJsonString());
        using var loaded = TinyRun.LoadModel();
        var error = Assert.Throws<NotSupportedException>(() => PeftAdapterFolder.Load(loaded, _folder.Path));
        Assert.Contains("trainable_token_indices", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_the_network_has_not_is_refused_with_the_remedy()
    {
        using var model = TinyRun.LoadModel();
        var error = Assert.Throws<ArgumentException>(
            () => LowRankAdaptation.Attach(model, new LoraOptions { TrainedTokens = [model.VocabularySize] }));
        Assert.Contains("WithTokens", error.Message, StringComparison.Ordinal);
        Assert.Null(model.Lora);
    }

    [Fact]
    public void A_run_that_is_resumed_ends_with_the_same_rows()
    {
        using var whole = FamilyFolders.Load("llama-tiny");
        Attach(whole);
        Train(whole, Precision.BFloat16, _folder["whole"]);

        using var cancelled = FamilyFolders.Load("llama-tiny");
        Attach(cancelled);
        Assert.Throws<OperationCanceledException>(() => Train(cancelled, Precision.BFloat16, _folder["parts"], cancelledAt: 3));
        using var resumed = FamilyFolders.Load("llama-tiny");
        Attach(resumed);
        Train(resumed, Precision.BFloat16, _folder["parts"], resume: true);

        Assert.All(whole.CheckpointTensors().Zip(resumed.CheckpointTensors()), pair =>
            Assert.True(TensorBytes.Of(pair.First.Value).AsSpan().SequenceEqual(TensorBytes.Of(pair.Second.Value)), pair.First.Key));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_network_with_more_tokens_computes_the_same_for_those_it_had(string modelType)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var network = FamilyFolders.LoadFamily(modelType);
        if (!FamilyRows.CanBeMadeFor(network))
            return;
        var (known, size) = (network.VocabularySize - 2, network.VocabularySize + 3);
        if (network.Description.Stacks.Any(stack => stack.Input.Rows != network.VocabularySize))
        {
            Assert.Throws<NotSupportedException>(() => network.WithTokens(known, size));
            return;
        }

        using var grown = network.WithTokens(known, size);

        Assert.Equal(size, grown.VocabularySize);
        Assert.Equal(size, grown.Configuration["vocab_size"]!.GetValue<int>());
        foreach (var table in Tables(network))
        {
            var (old, now) = (network.get_parameter(table)!, grown.get_parameter(table)!);
            Assert.True(old.narrow(0, 0, known).equal(now.narrow(0, 0, known)).all().item<bool>());
            var mean = old.narrow(0, 0, known).mean([0]);
            Assert.True((now.narrow(0, known, size - known) - mean).abs().max().item<float>() < 1e-6, table);
        }

        grown.Save(_folder.Path);
        using var again = TransformerNetwork.Load(_folder.Path);
        Assert.Equal(grown.ComputeFingerprint(), again.ComputeFingerprint());
        Assert.Equal(size, again.VocabularySize);
    }

    private static void Attach(TransformerNetwork network) =>
        LowRankAdaptation.Attach(network, new LoraOptions { Rank = 2, TrainedTokens = s_tokens }, seed: 1);

    private static IEnumerable<string> Tables(TransformerNetwork network) => network.Description.Stacks
        .SelectMany(stack => stack.Input.Tables.Concat(stack.Heads.Select(head => head.Weight))).Distinct();

    private (int Steps, long OptimizerNumbers) Train(
        TransformerNetwork network, Precision precision, string? output, int cancelledAt = 0, bool resume = false)
    {
        var folder = output ?? _folder[Guid.NewGuid().ToString("N")];
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var rows = FamilyRows.Of(network).Select(row => row with { InputIds = [.. s_tokens, .. row.InputIds[3..]] }).ToList();
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 4, BatchSize = 2, LearningRate = 1e-2, Precision = precision, OutputDirectory = folder, CheckpointSteps = 2,
            Resume = resume, KeepBestModel = false,
        };
        var progress = new ProgressCallback(report =>
        {
            if (report.Step == cancelledAt && cancelledAt > 0)
                cancellation.Cancel();
        });
        var result = new LanguageModelTrainer(network, options, rows).Train(progress, cancellation.Token);
        using var optimizer = SafetensorsFile.Open(Path.Combine(folder, "checkpoint-4", "optimizer.safetensors"));
        return (result.Steps, optimizer.Tensors.Values.Sum(tensor => tensor.Shape.Aggregate(1L, (a, b) => a * b)));
    }
}
