using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Training.Images;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>The library's training, a step whenever it is asked for one: a run on a thread of its own, which waits between steps.</summary>
internal sealed class LibraryCodeTraining : IDisposable
{
    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    public LibraryCodeTraining(TextToImageModel model, IReadOnlyList<TextToImageRow> rows, int batchSize)
    {
        var options = new TextToImageTrainingOptions { BatchSize = batchSize, MaximumSteps = int.MaxValue / 2 };
        var trainer = new TextToImageTrainer(model, options, rows, [], tokenizer: null);
        _run = Task.Factory.StartNew(() =>
        {
            _go.Wait();
            trainer.Train(new StepObserver(StepDone), stopAndKeep: _stop.Token);
        }, TaskCreationOptions.LongRunning);
    }

    public void Step()
    {
        _go.Release();
        while (!_done.Wait(100))
        {
            if (_run.IsCompleted)
                _run.GetAwaiter().GetResult();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _go.Release();
        _run.GetAwaiter().GetResult();
        _go.Dispose();
        _done.Dispose();
        _stop.Dispose();
    }

    private void StepDone()
    {
        _done.Release();
        _go.Wait();
    }

    private sealed class StepObserver(Action observe) : IProgress<TextToImageProgress>
    {
        public void Report(TextToImageProgress value) => observe();
    }
}
