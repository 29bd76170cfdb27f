using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

public sealed class GeneratedDataViewTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TextGenerationModel _model = TextGenerationModel.Load(TestData.TinyModel);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(100)]
    public void Any_batch_size_gives_the_same_rows_in_the_same_order(int batchSize)
    {
        var stories = TestData.Stories(7);
        var view = Transform(stories, new GenerateTextOptions { Generation = Short, GenerationBatchSize = batchSize });

        Assert.Equal(stories.Select(story => _model.Generate(story.Opening!, Short)), view.GetColumn<string>("Continuation"));
        Assert.Equal(stories.Select(story => story.Text), view.GetColumn<string>("Text"));
        Assert.Equal(stories.Select(story => story.Number), view.GetColumn<float>("Number"));
    }

    [Fact]
    public void Rows_of_all_columns_stay_together()
    {
        var view = Transform(TestData.Stories(5), new GenerateTextOptions { Generation = Short, GenerationBatchSize = 2 });

        var rows = _ml.Data.CreateEnumerable<StoryWithContinuation>(view, reuseRowObject: false).ToList();

        Assert.Equal(5, rows.Count);
        Assert.All(rows, row => Assert.Equal(_model.Generate(row.Opening!, Short), row.Continuation));
        Assert.Equal([0f, 1, 2, 3, 4], rows.Select(row => row.Number));
    }

    [Fact]
    public void Sampled_texts_do_not_depend_on_batches_or_on_other_rows()
    {
        var sampling = Short with { Sample = true, Seed = 5 };
        var all = Texts(TestData.Stories(5), new GenerateTextOptions { Generation = sampling, GenerationBatchSize = 4 });
        var backwards =
            Texts([.. TestData.Stories(5).Reverse()], new GenerateTextOptions { Generation = sampling, GenerationBatchSize = 2 });

        Assert.Equal(all, backwards.Reverse());
        Assert.NotEqual(all, Texts(TestData.Stories(5), new GenerateTextOptions { Generation = Short }));
    }

    [Fact]
    public void The_seed_of_the_context_decides_what_is_sampled()
    {
        var options = new GenerateTextOptions { Generation = Short with { Sample = true } };

        Assert.Equal(With(1), With(1));
        Assert.NotEqual(With(1), With(2));

        IReadOnlyList<string> With(int seed)
        {
            var ml = new MLContext(seed);
            var data = ml.Data.LoadFromEnumerable(TestData.Stories(3));
            return [.. ml.Transforms.Text.GenerateText("Continuation", "Opening", _model, options).Fit(data).Transform(data)
                .GetColumn<string>("Continuation")];
        }
    }

    [Fact]
    public void Nothing_is_read_before_enumeration()
    {
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(TestData.Stories(4)));
        var view = Estimator(new GenerateTextOptions { Generation = Short, GenerationBatchSize = 2 }).Fit(source).Transform(source);
        using var cursor = view.GetRowCursor(view.Schema);
        Assert.Equal(0, source.RowsRead);

        Assert.True(cursor.MoveNext());
        Assert.Equal(2, source.RowsRead); // one batch
    }

    [Fact]
    public void Columns_that_nobody_needs_are_not_read()
    {
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(TestData.Stories(2)));
        var view = Estimator(new GenerateTextOptions { Generation = Short }).Fit(source).Transform(source);

        _ = view.GetColumn<string>("Continuation").ToList();

        Assert.Equal(["Opening"], source.ColumnsRead);
    }

    [Fact]
    public void Nothing_is_generated_where_the_generated_column_is_not_asked_for()
    {
        var model = TextGenerationModel.Load(TestData.TinyModel);
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        var view = _ml.Transforms.Text.GenerateText("Continuation", "Opening", model).Fit(data).Transform(data);
        model.Dispose(); // to generate would throw now

        Assert.Equal([0f, 1, 2], view.GetColumn<float>("Number"));
        using var cursor = view.GetRowCursor(view.Schema);
        while (cursor.MoveNext())
        {
            // A column that is active but whose value nobody takes costs nothing either.
        }

        Assert.Throws<ObjectDisposedException>(() => view.GetColumn<string>("Continuation").ToList());
    }

    [Fact]
    public void Token_ids_and_their_log_probabilities_are_made_on_request()
    {
        var view = Transform(TestData.Stories(3), new GenerateTextOptions
        {
            Generation = Short, GenerationBatchSize = 2, TokenIdsColumnName = "Ids", LogProbabilitiesColumnName = "LogProbabilities",
        });
        var expected = _model.Generate([.. TestData.Stories(3).Select(story => story.Opening!)], Short);

        var ids = view.GetColumn<int[]>("Ids").ToList();
        var logProbabilities = view.GetColumn<float[]>("LogProbabilities").ToList();

        Assert.Equal(expected.Select(texts => texts[0].TokenIds), ids);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ids[i].Length, logProbabilities[i].Length);
            Assert.All(logProbabilities[i].Zip(expected[i][0].LogProbabilities), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
        }
    }

    [Fact]
    public void Several_sequences_a_prompt_make_a_vector()
    {
        var sampling = Short with { Sample = true, Seed = 3, SequencesPerPrompt = 3 };
        var view = Transform(TestData.Stories(2), new GenerateTextOptions { Generation = sampling });

        var type = Assert.IsType<VectorDataViewType>(view.Schema["Continuation"].Type);
        Assert.Equal((3, TextDataViewType.Instance), (type.Size, type.ItemType));
        var expected = _model.Generate([.. TestData.Stories(2).Select(story => story.Opening!)], sampling);
        Assert.Equal(expected.Select(texts => texts.Select(text => text.Text)), view.GetColumn<string[]>("Continuation"));
    }

    [Fact]
    public void An_empty_prompt_is_continued_from_the_beginning_of_sequence_token()
    {
        var rows = new[] { new Story { Opening = "" }, new Story { Opening = null } };

        var texts = Texts(rows, new GenerateTextOptions { Generation = Short });

        Assert.Equal(texts[0], texts[1]);
        Assert.Equal(_model.Generate("<|endoftext|>", Short), texts[0]); // the tiny model's beginning-of-sequence token
    }

    [Fact]
    public void Two_threads_may_enumerate_at_once()
    {
        var stories = TestData.Stories(12);
        var view = Transform(stories, new GenerateTextOptions { Generation = Short, GenerationBatchSize = 3 });
        var expected = view.GetColumn<string>("Continuation").ToList();

        var results = new List<string>[2];
        var threads = Enumerable.Range(0, 2).Select(i => new Thread(() => results[i] = [.. view.GetColumn<string>("Continuation")]))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(expected, results[0]);
        Assert.Equal(expected, results[1]);
    }

    [Fact]
    public void Buffered_values_are_copies_of_the_vectors_of_their_rows()
    {
        var rows = Enumerable.Range(0, 5).Select(i => new VectorRow { Prompt = $"row {i}", Values = [i, i + 0.5f] }).ToList();
        var data = _ml.Data.LoadFromEnumerable(rows);
        var view = _ml.Transforms.Text.GenerateText(
            "Out", "Prompt", _model, new GenerateTextOptions { Generation = Short, GenerationBatchSize = 3 })
            .Fit(data).Transform(data);
        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<VBuffer<float>>(view.Schema["Values"]);
        var id = cursor.GetIdGetter();
        var ids = new HashSet<DataViewRowId>();
        VBuffer<float> value = default;
        for (var i = 0; i < 5; i++)
        {
            Assert.True(cursor.MoveNext());
            Assert.Equal(i, cursor.Position);
            getter(ref value);
            Assert.Equal([i, i + 0.5f], value.DenseValues());
            VBufferEditor.CreateFromBuffer(ref value).Values.Clear(); // a caller may write into what it got
            VBuffer<float> again = default;
            getter(ref again);
            Assert.Equal([i, i + 0.5f], again.DenseValues());
            DataViewRowId rowId = default;
            id(ref rowId);
            Assert.True(ids.Add(rowId));
        }

        Assert.False(cursor.MoveNext());
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_continued()
    {
        var text = Texts([new Story { Opening = string.Concat(Enumerable.Repeat("the old man and the planet ", 200)) }],
            new GenerateTextOptions { Generation = Short });

        Assert.NotEmpty(text[0]);
    }

    private static GenerationOptions Short => new() { MaximumNewTokens = 6 };

    private PretrainedTextGeneratorEstimator Estimator(GenerateTextOptions options) =>
        _ml.Transforms.Text.GenerateText("Continuation", "Opening", _model, options);

    private IDataView Transform(IReadOnlyList<Story> rows, GenerateTextOptions options)
    {
        var data = _ml.Data.LoadFromEnumerable(rows);
        return Estimator(options).Fit(data).Transform(data);
    }

    private IReadOnlyList<string> Texts(IReadOnlyList<Story> rows, GenerateTextOptions options) =>
        [.. Transform(rows, options).GetColumn<string>("Continuation")];

    private sealed class StoryWithContinuation
    {
        public string? Opening { get; set; }

        public string? Continuation { get; set; }

        public float Number { get; set; }
    }

    private sealed class VectorRow
    {
        public string? Prompt { get; set; }

        [VectorType(2)]
        public float[]? Values { get; set; }
    }
}
