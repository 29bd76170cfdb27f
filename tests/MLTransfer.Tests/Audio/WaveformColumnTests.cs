using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>A column of sounds in what ML.NET does with columns.</summary>
public sealed class WaveformColumnTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sounds_go_in_and_come_out_by_enumerables()
    {
        var rows = Tones.Rows(3);
        var view = _ml.Data.LoadFromEnumerable(rows);

        Assert.Equal(WaveformDataViewType.Of(), view.Schema["Sound"].Type);
        var found = _ml.Data.CreateEnumerable<SoundRow>(view, reuseRowObject: false).ToList();
        Assert.Equal(rows.Select(row => row.Sound), found.Select(row => row.Sound));
        Assert.Equal(rows.Select(row => row.Sound), view.GetColumn<Waveform>("Sound"));
    }

    [Fact]
    public void The_type_says_rate_and_channels_where_they_are_known()
    {
        var view = _ml.Data.LoadFromEnumerable([new SpeechRow { Speech = Tones.Create(200) }]);

        var type = Assert.IsType<WaveformDataViewType>(view.Schema["Speech"].Type);
        Assert.Equal((16000, 1), (type.SampleRate, type.Channels));
        Assert.Equal("Waveform<16000 Hz, 1 channel(s)>", type.ToString());
        Assert.NotEqual<DataViewType>(WaveformDataViewType.Of(), type);
    }

    [Fact]
    public void A_row_that_is_not_what_its_column_says_is_refused()
    {
        var view = _ml.Data.LoadFromEnumerable([new SpeechRow { Speech = Tones.Create(200, sampleRate: 8000) }]);
        var resampled = _ml.Transforms.ResampleAudio("Speech", 16000).Fit(view).Transform(view);

        var error = Assert.Throws<InvalidOperationException>(() => resampled.GetColumn<Waveform>("Speech").ToList());

        Assert.Contains("Row 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("8000 Hz", error.Message, StringComparison.Ordinal);
        Assert.Contains("16000 Hz", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encoded_sounds_are_saved_as_binary_and_read_again_to_the_bit()
    {
        var rows = Tones.Rows(5);
        rows[2].Sound = null;
        rows[3].Sound = new Waveform([], 8000, 2);
        var view = _ml.Data.LoadFromEnumerable(rows);
        var path = Path.Combine(_folder.Path, "sounds.idv");
        using (var stream = File.Create(path))
            _ml.Data.SaveAsBinary(_ml.Transforms.EncodeAudio("Content", "Sound").Fit(view).Transform(view), stream);

        var loaded = _ml.Data.LoadFromBinary(path);

        Assert.DoesNotContain(loaded.Schema, column => column.Name == "Sound"); // ML.NET knows no sounds, as it knows no pictures
        var sounds = _ml.Transforms.DecodeAudio("Sound", "Content").Fit(loaded).Transform(loaded).GetColumn<Waveform?>("Sound").ToList();
        Assert.Equal(rows.Count, sounds.Count);
        Assert.Null(sounds[2]);
        Assert.Equal((0, 8000, 2), (sounds[3]!.Frames, sounds[3]!.SampleRate, sounds[3]!.Channels));
        Assert.Equal(rows[4].Sound!.Samples.ToArray(), sounds[4]!.Samples.ToArray());
    }

    [Fact]
    public void A_cache_reads_the_files_once()
    {
        var view = _ml.Data.LoadFromEnumerable(Tones.Write(_folder.Path, 4));
        var pipeline = _ml.Transforms.LoadAudio("Sound", _folder.Path, "File").AppendCacheCheckpoint(_ml)
            .Append(_ml.Transforms.ResampleAudio("Sound", 8000));
        var sounds = _ml.Data.Cache(_ml.Transforms.LoadAudio("Sound", _folder.Path, "File").Fit(view).Transform(view), "Sound");

        var first = sounds.GetColumn<Waveform>("Sound").ToList();
        Assert.Equal(2000, pipeline.Fit(view).Transform(view).GetColumn<Waveform>("Sound").First().Frames);
        foreach (var file in Directory.GetFiles(_folder.Path))
            File.Delete(file);

        Assert.Equal(first, sounds.GetColumn<Waveform>("Sound"));
    }

    [Fact]
    public void Shuffles_filters_and_splits_keep_each_sound_with_its_row()
    {
        var view = _ml.Data.LoadFromEnumerable(Tones.Rows(30));

        var split = _ml.Data.TrainTestSplit(_ml.Data.FilterRowsByColumn(view, "Pitch", lowerBound: 250), 0.3);
        var shuffled = _ml.Data.ShuffleRows(split.TrainSet, seed: 3);

        var rows = _ml.Data.CreateEnumerable<SoundRow>(shuffled, reuseRowObject: false).ToList();
        Assert.InRange(rows.Count, 10, 25);
        Assert.NotEqual(rows.Select(row => row.Pitch).Order(), rows.Select(row => row.Pitch));
        Assert.All(rows, row => Assert.Equal(Tones.Create(row.Pitch).Samples.ToArray(), row.Sound!.Samples.ToArray()));
    }

    [Fact]
    public void Cross_validation_trains_on_what_is_computed_of_sounds()
    {
        var view = _ml.Data.LoadFromEnumerable(Tones.Write(_folder.Path, 40));
        var pipeline = _ml.Transforms.LoadAudio("Sound", _folder.Path, "File")
            .Append(_ml.Transforms.ResampleAudio("Sound", 8000, channels: 1))
            .Append(_ml.Transforms.CustomMapping<ResampledRow, Measured>(
                (row, measured) => measured.Features = [PitchTracking.Yin(row.Sound!.Samples, row.Sound.SampleRate)[2] / 1000], null))
            .AppendCacheCheckpoint(_ml)
            .Append(_ml.Regression.Trainers.LbfgsPoissonRegression("Pitch", "Features"));

        var results = _ml.Regression.CrossValidate(view, pipeline, numberOfFolds: 3, labelColumnName: "Pitch");

        Assert.Equal(3, results.Count);
        Assert.All(results, result => Assert.True(result.Metrics.RSquared > 0.9, $"{result.Metrics.RSquared}"));
    }

    private sealed class SpeechRow
    {
        [WaveformType(16000, 1)]
        public Waveform? Speech { get; set; }
    }

    private sealed class ResampledRow
    {
        [WaveformType(8000, 1)]
        public Waveform? Sound { get; set; }
    }

    private sealed class Measured
    {
        [VectorType(1)]
        public float[]? Features { get; set; }
    }
}
