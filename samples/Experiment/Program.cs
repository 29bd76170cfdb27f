using Experiment;
using Samples;

// Searches for the options that fine-tune a pretrained text generator best, beginning with a known recipe.
var options = new ExperimentCommand();
return SampleProgram.Run(options, args, (arguments, stop, cancel) => RecipeSearch.Run(options, arguments, stop, cancel));
