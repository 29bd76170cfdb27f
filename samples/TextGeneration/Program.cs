using Samples;
using TextGeneration;

// Fine-tunes a pretrained model of texts inside an ML.NET pipeline: one that continues them or, with --task infill, one that fills masks.
var options = new TextGenerationCommand();
return SampleProgram.Run(options, args, (arguments, stop, cancel) =>
{
    if (arguments.GetValue(options.Task) == SampleTask.Infill)
        StoryInfilling.Run(options, arguments, stop, cancel);
    else
        StoryGeneration.Run(options, arguments, stop, cancel);
});
